"""The operator's files say what the code does: image, fleet, alerts, dashboards, index templates."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import click
import pytest
import yaml
from prometheus_client import REGISTRY

import sinks.metrics
import streams.pollers.poller
from config.reader import OTHER_VARIABLES
from config.schema import all_settings
from config.settings import Kafka, Settings, load
from sinks.elasticsearch.documents import all_alias, current_alias
from sinks.elasticsearch.inventory import mapping_fields
from sinks.elasticsearch.templates import load_template
from streams.cli import cli
from streams.kafka.grants import grant_commands

ROOT: Final = Path(__file__).parents[2]
PROMETHEUS: Final = ROOT / "config" / "prometheus"
ONE_SHOT: Final = {"grants", "topics", "index", "kibana-objects"}
ROLES: Final = ("operator", "poller", "worker", "routes", "sink", "webhooks", "desk")
INDEX_ROLES: Final = ("operator", "sink", "desk", "reader", "kibana", "admin")
DEFINED: Final = (sinks.metrics, streams.pollers.poller)
SETTING_VARIABLES: Final = {
    setting.variable for setting in all_settings(Settings)
}  # some end as those of secrets do


@pytest.fixture(scope="module")
def fleet() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    return loaded


@pytest.fixture(scope="module")
def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text("utf-8")


def test_the_fleet_has_every_part(fleet: dict[str, Any]) -> None:
    servers = {"kafka", "elasticsearch", "kibana", "prometheus", "grafana"}
    ours = {"poller", "worker", "sink", "routes", "webhooks", "desk"}
    assert servers | ours | ONE_SHOT == set(fleet["services"])


def test_a_profile_adds_what_watches_and_webhooks_and_the_rest_needs_none(fleet: dict[str, Any]) -> None:
    profiles = {name: service.get("profiles") for name, service in fleet["services"].items()}
    assert {name for name, own in profiles.items() if own == ["full"]} == {
        "kibana", "kibana-objects", "prometheus", "grafana",
    }  # fmt: skip
    assert profiles["webhooks"] == ["webhooks"], "without targets it would be started for ever"
    assert sum(own is not None for own in profiles.values()) == 5
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    for name, own in profiles.items():
        needed = fleet["services"][name].get("depends_on", {})
        assert all(profiles[other] in (None, own) for other in needed), name
    sizes = {"core": 0.0, "full": 0.0}
    for name, service in fleet["services"].items():
        if name not in ONE_SHOT and name != "webhooks":
            size = float(service["mem_limit"][:-1]) / (1 if service["mem_limit"].endswith("g") else 1024)
            sizes["full" if profiles[name] else "core"] += size * service.get("deploy", {}).get("replicas", 1)
    assert f"add up to {sizes['core']:g} GB without a profile" in text
    assert f"and to {sizes['core'] + sizes['full']:g} GB with `full`" in text


def test_every_service_of_ours_reads_files_of_the_operators_own_first(fleet: dict[str, Any]) -> None:
    ours = [service for service in fleet["services"].values() if service["image"].startswith("wiredesk:")]
    assert len(ours) == 8
    for service in ours:
        assert service["working_dir"] == "/etc/wiredesk"
        assert service["volumes"] == ["./config/local:/etc/wiredesk:ro"]
        assert "/data" in service["tmpfs"], "else each re-creation leaves a volume"
    assert (ROOT / "config" / "local").is_dir(), "else the container engine makes it, for root alone"


def test_nothing_is_published_beyond_loopback(fleet: dict[str, Any]) -> None:
    ports = [port for service in fleet["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert "network_mode" not in json.dumps(fleet)


def test_kafka_and_elasticsearch_stand_on_the_inner_network_only(fleet: dict[str, Any]) -> None:
    assert fleet["networks"]["inside"] == {"internal": True}
    for name in ("kafka", "elasticsearch", "worker", "sink", "routes"):
        assert fleet["services"][name]["networks"] == ["inside"]


def test_every_container_is_bounded_and_has_no_capability(fleet: dict[str, Any]) -> None:
    for name, service in fleet["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert 0 < service["pids_limit"] <= 4096, name
        assert re.fullmatch(r"\d+[mg]", service["mem_limit"]), name
        assert not {"privileged", "cap_add", "devices", "pid", "ipc", "userns_mode"} & set(service), name
        assert service.get("user") not in {"root", "0"}, name
        assert ":latest" not in service["image"], name
        assert ":" in service["image"], name


def test_every_service_that_stays_has_a_health_check_and_comes_back(fleet: dict[str, Any]) -> None:
    for name, service in fleet["services"].items():
        if name in ONE_SHOT:
            assert service["restart"] == "no"
        else:
            assert service["healthcheck"]["test"][0].startswith("CMD"), name
            assert service["restart"] == "unless-stopped"


def test_each_role_logs_in_to_elasticsearch_as_a_user_of_its_own(fleet: dict[str, Any]) -> None:
    server = fleet["services"]["elasticsearch"]
    assert server["environment"]["xpack.security.enabled"] == "true"
    started = (ROOT / "config" / "elasticsearch" / "start.sh").read_text("utf-8")
    roles = yaml.safe_load((ROOT / "config" / "elasticsearch" / "roles.yml").read_text("utf-8"))
    assert {f"wiredesk-{role}" for role in re.findall(r"for role in (.*); do", started)[0].split()} == set(
        roles
    )
    for name, role in (("index", "operator"), ("sink", "sink"), ("desk", "desk")):
        service = fleet["services"][name]
        secret = f"elasticsearch_{role}"
        assert service["environment"]["WIREDESK_ELASTICSEARCH_USERNAME"] == f"wiredesk-{role}"
        assert service["environment"]["WIREDESK_ELASTICSEARCH_PASSWORD_FILE"] == f"/run/secrets/{secret}"
        assert [given for given in service["secrets"] if given.startswith("elasticsearch_")] == [secret]
    assert set(server["secrets"]) == {name for name in fleet["secrets"] if name.startswith("elasticsearch_")}
    for name in ("sink", "desk", "reader"):
        for granted in roles[f"wiredesk-{name}"]["indices"]:
            if set(granted["names"]) <= {"wire-stories-searches", "wire-stories-alerts"}:
                continue  # what readers save, and what follows of it: no story stands there
            assert not {"all", "manage", "delete", "delete_index", "write"} & set(granted["privileges"])


def ours(fleet: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: each for name, each in fleet["services"].items() if each["image"].startswith("wiredesk:")}


def test_services_run_commands_that_exist(fleet: dict[str, Any]) -> None:
    commands = {each["command"][0] for each in ours(fleet).values()}
    assert commands == {"topics", "index", "poll", "worker", "sink", "desk"}
    for service in ours(fleet).values():
        parse_command(service["command"])


def parse_command(words: list[str]) -> None:
    """Parse a command line as the program does, without running it; what it can't follow is raised."""
    context = cli.make_context("wiredesk", list(words))
    while isinstance(context.command, click.Group):
        left = [*context._protected_args, *context.args]
        name, command, left = context.command.resolve_command(context, left)
        assert command, words
        context = command.make_context(name, left, parent=context)


@pytest.mark.parametrize(
    "words",
    [["index", "make"], ["sink", "elastic"], ["worker", "--workers"], ["index", "create", "--wait", "x"]],
)
def test_a_wrong_command_of_a_service_would_be_found(words: list[str]) -> None:
    with pytest.raises(click.UsageError):
        parse_command(words)


def test_settings_and_secrets_of_every_service_are_read(fleet: dict[str, Any], tmp_path: Path) -> None:
    """Each with its own variables, as its container has them, and files in the place of its secrets."""
    for name, service in ours(fleet).items():
        environment = dict(service["environment"])
        for variable, value in environment.items():
            assert isinstance(value, str), (
                f"{name}: {variable} is no text: Compose would write it in its own way"
            )
            if variable.endswith("_FILE") and variable not in SETTING_VARIABLES:
                secret = tmp_path / Path(value).name
                assert secret.name in service["secrets"], f"{name}: {value} is not given to it"
                secret.write_text(f"of {secret.name}\n", "utf-8")
                environment[variable] = str(secret)
        settings = load(None, environment)
        role = {"topics": "operator", "index": None}.get(name, name)
        if role:
            assert settings.kafka.password == f"of kafka_{role}"
        ports = {settings.health.port, settings.desk.port}
        asked = urlsplit(environment["WIREDESK_PROBE"])
        assert asked.port in ports
        assert asked.path in {"/readyz", "/livez"}


def test_services_wait_for_what_is_there_and_tells(fleet: dict[str, Any]) -> None:
    services = fleet["services"]
    for name, service in services.items():
        assert set(service.get("networks", [])) <= set(fleet["networks"]), name
        assert set(service.get("secrets", [])) <= set(fleet["secrets"]), name
        for other, waits in service.get("depends_on", {}).items():
            if waits["condition"] == "service_healthy":
                assert "test" in services[other]["healthcheck"], (
                    f"{name} waits for {other}, which never says so"
                )
            else:
                assert waits["condition"] == "service_completed_successfully"
                assert services[other]["restart"] == "no", (
                    f"{name} waits for the end of {other}, which has none"
                )


def test_images_are_named_by_digest(fleet: dict[str, Any], dockerfile: str) -> None:
    """A tag can be moved, a digest can't. Of Kibana's no digest could be had that two told alike."""
    others = [
        each["image"] for each in fleet["services"].values() if not each["image"].startswith("wiredesk:")
    ]
    base = re.findall(r"^ARG BASE=(\S+)$", dockerfile, re.MULTILINE)
    (default,) = {each["build"]["args"]["BASE"] for each in ours(fleet).values()}
    assert default == f"${{WIREDESK_BASE:-{base[0]}}}"
    by_tag = [
        image for image in (*others, *base) if not re.fullmatch(r"[^@:]+:[^@]+@sha256:[0-9a-f]{64}", image)
    ]
    assert by_tag == ["docker.elastic.co/kibana/kibana:8.19.21"]


def test_variables_of_the_fleet_and_the_image_are_settings(fleet: dict[str, Any], dockerfile: str) -> None:
    own = set(OTHER_VARIABLES)
    told: dict[str, str] = {}
    for service in fleet["services"].values():
        told |= {
            name: value
            for name, value in service.get("environment", {}).items()
            if name.startswith("WIREDESK_")
        }
    told |= dict(re.findall(r"^\s+(WIREDESK_\w+)=(\S+)", dockerfile, re.MULTILINE))
    secrets = {name for name in told if name.endswith("_FILE")} - SETTING_VARIABLES
    settings = load(None, {name: value for name, value in told.items() if name not in own | secrets})
    known = {setting.variable for setting in all_settings(Settings)}
    assert {name.removesuffix("_FILE") if name in secrets else name for name in set(told) - own} <= known
    assert settings.kafka.servers == "kafka:9092"
    assert settings.health.port == 9100


def test_each_role_logs_in_to_kafka_as_itself_and_sees_no_other_secret(fleet: dict[str, Any]) -> None:
    services = fleet["services"]
    for name, role in {"topics": "operator", **{role: role for role in ROLES[1:]}}.items():
        environment = services[name]["environment"]
        assert environment["WIREDESK_KAFKA_USERNAME"] == f"wiredesk-{role}"
        assert environment["WIREDESK_KAFKA_PASSWORD_FILE"] == f"/run/secrets/kafka_{role}"
        assert environment["WIREDESK_KAFKA_SECURITY_PROTOCOL"] == "SASL_PLAINTEXT"
        others_servers = {"desk_token", f"elasticsearch_{role}"}
        assert set(services[name]["secrets"]) - others_servers == {f"kafka_{role}"}
    others = set(services) - set(ROLES) - {"topics", "kafka", "grants"}
    assert not [name for name in others if "kafka" in str(services[name].get("secrets"))]


def test_the_broker_gives_the_grants_that_the_topology_asks_for() -> None:
    lines = (ROOT / "config" / "kafka" / "grants.sh").read_text("utf-8").splitlines()
    assert lines[1:] == grant_commands(Settings(kafka=Kafka(servers="kafka:9092"))), lines[0]


def test_secrets_come_from_files(fleet: dict[str, Any]) -> None:
    users = {*(f"kafka_{role}" for role in ROLES), *(f"elasticsearch_{role}" for role in INDEX_ROLES)}
    assert set(fleet["secrets"]) == {"desk_token", "grafana_password", *users}
    assert all(set(secret) == {"file"} for secret in fleet["secrets"].values())
    for service in fleet["services"].values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|TOKEN|KEY", name):
                assert name.endswith("FILE"), name
                assert value.startswith("/run/secrets/")


def test_files_that_the_fleet_mounts_are_there(fleet: dict[str, Any]) -> None:
    mounted = [
        each.split(":")[0] for service in fleet["services"].values() for each in service.get("volumes", [])
    ]
    folders = [each for each in mounted if each.startswith("./")]
    assert folders
    assert [each for each in folders if not (ROOT / each).is_dir()] == []
    assert {each for each in mounted if not each.startswith("./")} == set(fleet["volumes"])


def test_the_image_takes_its_base_as_an_argument_and_runs_as_nobody_in_particular(dockerfile: str) -> None:
    lines = dockerfile.splitlines()
    assert any(line.startswith("ARG BASE=") for line in lines)
    assert [line for line in lines if line.startswith("FROM")] == ["FROM ${BASE} AS build", "FROM ${BASE}"]
    assert "USER 10001:10001" in lines
    assert "--require-hashes -r locks/fleet.txt" in dockerfile
    assert "HEALTHCHECK" in dockerfile
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", dockerfile, re.MULTILINE)
    for source in (each for line in copied for each in line.split()):
        assert (ROOT / source).exists(), source


def test_the_build_sees_only_what_it_copies(dockerfile: str) -> None:
    allowed = {
        line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")
    }
    copied = {
        each
        for line in re.findall(r"^COPY (?!--from)(.*) \S+$", dockerfile, re.MULTILINE)
        for each in line.split()
    }
    assert copied == allowed


def test_alerts_and_dashboards_ask_for_figures_that_exist() -> None:
    alerts = "".join((PROMETHEUS / name).read_text("utf-8") for name in ("alerts.yml", "fleet.yml"))
    dashboard = (ROOT / "config/grafana/dashboards/wiredesk.json").read_text("utf-8")
    asked = set(re.findall(r"\bwire_\w+", alerts + dashboard))
    assert asked
    assert asked <= set(_figures())


def test_the_alerts_of_the_contract_are_there() -> None:
    rules = {rule["alert"]: rule for rule in _alerts()}
    assert set(rules) >= {"Stalled", "Erroring", "Throttled", "Lagging", "DeadLetterGrowth"}
    for rule in rules.values():
        assert rule["labels"]["severity"] in {"info", "warning", "critical"}
        assert set(rule["annotations"]) == {"summary", "action", "runbook"}


def test_each_alert_has_a_section_of_the_runbooks_and_a_test() -> None:
    page = (ROOT / "docs/runbooks.md").read_text("utf-8")
    sections = re.findall(r"^### (\w+)$", page, re.MULTILINE)
    names = [rule["alert"] for rule in _alerts()]
    assert sorted(sections) == sorted(names)
    tests = "".join((PROMETHEUS / f"{name}.test.yml").read_text("utf-8") for name in ("alerts", "fleet"))
    for rule in _alerts():
        name = rule["alert"]
        assert rule["annotations"]["runbook"] == f"docs/runbooks.md#{name.lower()}"
        assert name in tests, f"{name} has no test for promtool"
    figures = set(re.findall(r"`(wire_\w+)", page))
    assert figures
    assert figures <= set(_figures())


def test_alerts_fire_when_they_must() -> None:
    promtool = shutil.which("promtool")
    if not promtool:
        line = "NOT TESTED with promtool: it is missing (Debian package prometheus)"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(line)
        pytest.skip(line)
    for command in (
        ["check", "config", "--syntax-only", "prometheus.yml"],
        ["check", "rules", "alerts.yml", "fleet.yml"],
        ["test", "rules", "alerts.test.yml", "fleet.test.yml"],
    ):
        done = subprocess.run(
            [promtool, *command], cwd=PROMETHEUS, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_asks_the_services_of_the_fleet(fleet: dict[str, Any]) -> None:
    jobs = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text("utf-8"))["scrape_configs"]
    names = {name for job in jobs for found in job.get("dns_sd_configs", []) for name in found["names"]}
    names |= {
        target.split(":")[0]
        for job in jobs
        for told in job.get("static_configs", [])
        for target in told["targets"]
    }
    assert names == {"poller", "worker", "sink", "routes", "webhooks", "desk"} <= set(fleet["services"])


def test_panels_stand_side_by_side_and_know_their_source() -> None:
    panels = json.loads((ROOT / "config/grafana/dashboards/wiredesk.json").read_text("utf-8"))["panels"]
    source = yaml.safe_load(
        (ROOT / "config/grafana/provisioning/datasources/prometheus.yml").read_text("utf-8")
    )
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        assert panel["datasource"]["uid"] == source["datasources"][0]["uid"]
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_kibana_shows_members_of_the_index() -> None:
    mapped = dict(
        mapping_fields(
            load_template("stories-mappings", Settings().elasticsearch.index)["template"]["mappings"][
                "properties"
            ]
        )
    )
    objects = [
        json.loads(line) for line in (ROOT / "config/kibana/stories.ndjson").read_text("utf-8").splitlines()
    ]
    views = [each["attributes"] for each in objects if each["type"] == "index-pattern"]
    index = Settings().elasticsearch.index
    assert [view["title"] for view in views] == [current_alias(index), all_alias(index)]
    assert {mapped[view["timeFieldName"]] for view in views} == {"date"}
    for search in (each["attributes"] for each in objects if each["type"] == "search"):
        assert set(search["columns"]) <= set(mapped)
        query = json.loads(search["kibanaSavedObjectMeta"]["searchSourceJSON"])["query"]["query"]
        assert set(re.findall(r"(\w+)(?::| <=)", query)) <= set(mapped)
        assert query.endswith(" and visibleFrom <= now")


def _alerts() -> list[dict[str, Any]]:
    files = [yaml.safe_load((PROMETHEUS / name).read_text("utf-8")) for name in ("alerts.yml", "fleet.yml")]
    return [rule for file in files for group in file["groups"] for rule in group["rules"]]


def _figures() -> Iterator[str]:
    """Every name under which Prometheus sees a figure of ours."""
    assert DEFINED
    for metric in REGISTRY.collect():
        if metric.name.startswith("wire_"):
            suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}.get(
                metric.type, [""]
            )
            yield from (f"{metric.name}{suffix}" for suffix in suffixes)
