"""What is deployed may do no more than it must: no root, no writing, no way to where it has nothing to do."""

from __future__ import annotations

import re

import pytest

from local_stack.services import SERVICES, Service
from tests.deploy.reading import DEPLOY, ROOT, compose, dockerfile, every_pod, literals, manifests, named, pod

each_service = pytest.mark.parametrize("service", SERVICES, ids=named)
USER = 65532


def test_the_image_is_nobodys_and_says_so_last() -> None:
    words = [word for word, _ in dockerfile()]
    last_stage = dockerfile()[len(words) - 1 - words[::-1].index("FROM") :]
    assert dict(last_stage)["USER"] == f"{USER}:{USER}"
    assert "RUN" not in [word for word, _ in last_stage]
    bases = {rest.split()[0] for word, rest in dockerfile() if word == "FROM"}
    assert len(bases) == 1


def test_what_is_installed_is_what_is_locked() -> None:
    installs = [rest for word, rest in dockerfile() if word == "RUN" and "install" in rest]
    uv, ours = installs
    assert "--require-hashes" in uv
    assert "--constraints requirements.lock --build-constraints requirements.lock" in ours


@each_service
def test_compose_lets_a_service_write_and_become_nothing(service: Service) -> None:
    for part in ("", "-migration"):
        found = compose()[service.name + part]
        assert (found["read_only"], found["user"], found["cap_drop"]) == (True, f"{USER}:{USER}", ["ALL"])
        assert found["security_opt"] == ["no-new-privileges:true"]
        assert found["mem_limit"]
        assert not found.get("volumes")


def test_pods_write_and_become_nothing() -> None:
    spec = every_pod()
    assert spec["securityContext"]["runAsNonRoot"]
    assert (spec["securityContext"]["runAsUser"], spec["securityContext"]["runAsGroup"]) == (USER, USER)
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    for container in (*spec["containers"], *spec["initContainers"]):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
    assert (
        manifests("namespace.yaml").one("Namespace", "throughline")["metadata"]["labels"][
            "pod-security.kubernetes.io/enforce"
        ]
        == "restricted"
    )


@each_service
def test_each_pod_has_limits_and_may_be_moved_one_at_a_time(service: Service) -> None:
    (container,) = pod(service)["containers"]
    assert container["resources"]["requests"].keys() == container["resources"]["limits"].keys() == {"cpu", "memory"}
    budget = manifests(f"{service.name}.yaml").one("PodDisruptionBudget", service.name)["spec"]
    labels = {"app.kubernetes.io/name": service.name}
    assert budget == {"maxUnavailable": 1, "selector": {"matchLabels": labels}}
    deployment = manifests(f"{service.name}.yaml").one("Deployment", service.name)["spec"]
    assert deployment["replicas"] >= 2
    assert deployment["selector"]["matchLabels"] == deployment["template"]["metadata"]["labels"] == labels


def test_what_is_not_allowed_is_refused_by_the_network() -> None:
    policies = manifests("network-policies.yaml")
    refusal = policies.one("NetworkPolicy", "nothing-else")["spec"]
    assert refusal == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    (callers,) = policies.one("NetworkPolicy", "callers")["spec"]["ingress"]
    assert callers == {
        "from": [{"namespaceSelector": {"matchLabels": {"throughline-callers": "allowed"}}}],
        "ports": [{"port": "http", "protocol": "TCP"}],
    }
    servers, names = policies.one("NetworkPolicy", "log-and-databases")["spec"]["egress"]
    kafka = int(literals("base")["KAFKA_BOOTSTRAP_SERVERS"].rpartition(":")[2])
    assert [each["port"] for each in servers["ports"]] == [kafka, 5432]
    assert [each["port"] for each in names["ports"]] == [53, 53]
    assert "throughline-callers=allowed" in (ROOT / "k8s/README.md").read_text()


def test_no_file_holds_a_secret_or_a_default_for_one() -> None:
    secret = re.compile(r"\$\{(\w*(?:PASSWORD|KEY|TOKENS|CLUSTER_ID))(.*?)\}")
    found = secret.findall((DEPLOY / "compose.yaml").read_text())
    assert len(found) > 10
    assert {rest.partition("?")[0] for _, rest in found} <= {"", ":"}
    manifests_text = "".join(path.read_text() for path in (ROOT / "k8s").rglob("*.yaml"))
    assert "kind: Secret" not in manifests_text
    assert "secretGenerator" not in manifests_text
