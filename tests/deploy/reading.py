"""The files of a deployment, as a test looks at them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local_stack.layout import PORT_BASE
from local_stack.services import Service

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
BASE = ROOT / "k8s" / "base"


def named(service: Service) -> str:
    """How a service is called in a test's name."""
    return service.name


def port(service: Service) -> int:
    """Where it listens unless told otherwise."""
    return PORT_BASE + service.port


def dockerfile() -> list[tuple[str, str]]:
    """Its instructions, each with what follows it, continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines if line)]


def compose() -> dict[str, Any]:
    """The services of the compose file, anchors and merges resolved."""
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    return found


@dataclass(frozen=True, slots=True)
class Manifests:
    """What stands in one file of the base, by kind and name."""

    of: dict[tuple[str, str], dict[str, Any]]

    def one(self, kind: str, name: str) -> dict[str, Any]:
        return self.of[kind, name]


def manifests(file: str) -> Manifests:
    documents = yaml.safe_load_all((BASE / file).read_text())
    return Manifests({(each["kind"], each["metadata"]["name"]): each for each in documents})


def pod(service: Service) -> dict[str, Any]:
    """A service's part of its pods."""
    found: dict[str, Any] = manifests(f"{service.name}.yaml").one("Deployment", service.name)["spec"]["template"][
        "spec"
    ]
    return found


def every_pod() -> dict[str, Any]:
    """What all pods have: the patch that kustomize lays over each deployment."""
    found: dict[str, Any] = manifests("pod.yaml").one("Deployment", "any")["spec"]["template"]["spec"]
    return found


def kustomization(folder: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "k8s" / folder / "kustomization.yaml").read_text())
    return found


def literals(folder: str) -> dict[str, str]:
    """The settings that a kustomization gives to all services."""
    lines: list[str] = kustomization(folder)["configMapGenerator"][0]["literals"]
    return dict(line.split("=", 1) for line in lines)


def prometheus(file: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "prometheus" / file).read_text())
    return found


def alerts() -> list[dict[str, Any]]:
    """The rules, of all groups."""
    return [rule for group in prometheus("alerts.yml")["groups"] for rule in group["rules"]]
