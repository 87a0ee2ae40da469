"""The manifests say what the code does, and are what Kubernetes, Strimzi and KEDA take."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import kubernetes_validate
import pytest
import yaml
from jsonschema import Draft202012Validator

from config.schema import all_settings
from config.settings import Settings
from streams.generate.kubernetes import TOPICS_FILE, topics_manifest
from streams.kafka.grants import role_grants
from tests.config.test_operations import parse_command

FOLDER: Final = TOPICS_FILE.parents[1]
OVERLAYS: Final = ("small", "production")
KUBERNETES: Final = "1.32"
ROLES: Final = {grant.role for grant in role_grants(Settings())}
Manifest = dict[str, Any]


def closed(**members: Any) -> dict[str, Any]:
    """The schema of an object that has these members, and no other."""
    return {"type": "object", "additionalProperties": False, "required": list(members), "properties": members}


TEXT: Final = {"type": "string", "minLength": 1}
NUMBER: Final = {"type": "integer", "minimum": 1}
TEXTS: Final = {"type": "object", "additionalProperties": TEXT}
# What the documentation of Strimzi 1.0 and KEDA 2.17 says of the members that are used here.
CUSTOM: Final = {
    ("kafka.strimzi.io/v1", "KafkaTopic"): closed(partitions=NUMBER, replicas=NUMBER, config=TEXTS),
    ("keda.sh/v1alpha1", "ScaledObject"): closed(
        scaleTargetRef=closed(kind={"enum": ["Deployment", "StatefulSet"]}, name=TEXT),
        minReplicaCount=NUMBER,
        maxReplicaCount=NUMBER,
        pollingInterval=NUMBER,
        cooldownPeriod=NUMBER,
        triggers={
            "type": "array",
            "items": closed(type={"const": "kafka"}, authenticationRef=closed(name=TEXT), metadata=TEXTS),
        },
    ),
    ("keda.sh/v1alpha1", "TriggerAuthentication"): closed(
        secretTargetRef={"type": "array", "items": closed(parameter=TEXT, name=TEXT, key=TEXT)}
    ),
}


def documents(text: str) -> list[Manifest]:
    return [document for document in yaml.safe_load_all(text) if document]


def build(overlay: str) -> list[Manifest]:
    """What ``kubectl apply -k`` would send."""
    command = next(
        (
            [path, *more]
            for name, more in (("kustomize", ["build"]), ("kubectl", ["kustomize"]))
            if (path := shutil.which(name))
        ),
        None,
    )
    if command is None:
        pytest.skip("neither kustomize nor kubectl is here: the overlays are not built")
    built = subprocess.run(
        [*command, str(FOLDER / overlay)], capture_output=True, text=True, check=False, env=os.environ
    )
    assert built.returncode == 0, built.stderr
    return documents(built.stdout)


def pods(manifests: list[Manifest]) -> dict[str, Manifest]:
    """The pod of each role."""
    kinds = {"Deployment", "StatefulSet"}
    return {
        manifest["metadata"]["name"]: manifest["spec"]["template"]["spec"]
        for manifest in manifests
        if manifest["kind"] in kinds
    }


def check_schema(manifest: Manifest) -> None:
    kind = manifest["apiVersion"], manifest["kind"]
    if kind in CUSTOM:
        Draft202012Validator(CUSTOM[kind]).validate(manifest["spec"])
    else:
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_the_topics_are_those_of_the_topology() -> None:
    assert TOPICS_FILE.read_text("utf-8") == topics_manifest(), "make manifests"


@pytest.mark.parametrize(
    "path",
    sorted(
        path
        for path in FOLDER.rglob("*.yaml")
        if path.name not in {"kustomization.yaml", "common.yaml", "probes.yaml", "spread.yaml"}
    ),
    ids=lambda path: str(path.relative_to(FOLDER)),
)
def test_a_file_has_no_member_that_nobody_knows(path: Path) -> None:
    for manifest in documents(path.read_text("utf-8")):
        if manifest["kind"] not in {"Deployment", "StatefulSet", "Job"}:  # whole only with what all pods have
            check_schema(manifest)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_is_what_the_cluster_takes(overlay: str) -> None:
    manifests = build(overlay)
    for manifest in manifests:
        check_schema(manifest)
    kinds = {manifest["kind"] for manifest in manifests}
    assert {"Namespace", "NetworkPolicy", "ConfigMap", "Job", "KafkaTopic", "Service"} <= kinds
    assert ({"PodDisruptionBudget", "ScaledObject"} <= kinds) == (overlay == "production")
    topics = [manifest for manifest in manifests if manifest["kind"] == "KafkaTopic"]
    assert {topic["metadata"]["namespace"] for topic in topics} == {"kafka"}
    assert {topic["spec"]["replicas"] for topic in topics} == {3 if overlay == "production" else 1}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_role_runs_with_no_more_than_it_needs(overlay: str) -> None:
    manifests = build(overlay)
    found = pods(manifests)
    assert set(found) == ROLES
    for role, pod in found.items():
        [container] = pod["containers"]
        assert pod["automountServiceAccountToken"] is False, role
        assert pod["securityContext"]["runAsNonRoot"], role
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container), role
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
        assert container["resources"]["requests"]["memory"], role
        assert container["resources"]["limits"]["memory"], role
        assert {"secret": {"secretName": f"wiredesk-{role}"}, "name": "secrets"} in pod["volumes"]
        assert container["image"].startswith("registry.example/wiredesk:")
    open_to_all = [
        manifest["metadata"]["labels"]["app.kubernetes.io/name"]
        for manifest in manifests
        if manifest["kind"] in {"Deployment", "StatefulSet"}
        and "wiredesk.example/internet" in manifest["spec"]["template"]["metadata"]["labels"]
    ]
    assert sorted(open_to_all) == ["poller", "webhooks"]


def test_every_role_of_production_may_lose_one_pod_at_a_time() -> None:
    manifests = build("production")
    kept = {
        manifest["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"]
        for manifest in manifests
        if manifest["kind"] == "PodDisruptionBudget"
    }
    assert kept == ROLES
    [scaled] = [manifest["spec"] for manifest in manifests if manifest["kind"] == "ScaledObject"]
    assert scaled["maxReplicaCount"] == Settings().kafka.partitions, "more would have nothing to do"
    [trigger] = scaled["triggers"]
    assert trigger["metadata"]["consumerGroup"] == Settings().kafka.application


def test_commands_and_variables_are_wiredesks_own() -> None:
    variables = {setting.variable for setting in all_settings(Settings)}
    files = {f"{setting.variable}_FILE" for setting in all_settings(Settings) if setting.is_secret}
    manifests = documents((FOLDER / "base" / "roles.yaml").read_text("utf-8"))
    manifests += documents((FOLDER / "base" / "jobs.yaml").read_text("utf-8"))
    told = documents((FOLDER / "base" / "settings.yaml").read_text("utf-8"))[0]["data"]
    for manifest in manifests:
        [container] = manifest["spec"]["template"]["spec"]["containers"]
        parse_command(container["args"])
        named = {entry["name"] for entry in container["env"]} | set(told)
        assert named <= variables | files, manifest["metadata"]["name"]
