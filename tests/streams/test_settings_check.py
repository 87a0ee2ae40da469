"""``wiredesk config``: every fault at once with its place, what is in force and where it was said, and no secret."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from config.files import CONFIG_FOLDER
from streams.commands.config import command
from streams.settings_check import find_line

SETTINGS = """\
[poll]
feeds = "feeds.toml"
min_interval_s = -5

[routes]
file = "routes.toml"

[tag]
watchlists = "watchlists.toml"

[webhooks]
file = "webhooks.toml"

[kafka]
ca_file = "ca.pem"
password = 12345
servers = "kafka:9092"

[desk]
prot = 8080
"""
FILES = {
    "feeds.toml": '[[feeds]]\nid = "a"\n[[feeds]]\nid = "b"\nurl = "ftp://b.example/"\n[[feeds]]\nid = "c"\nurl = "https://c.example/"\n',
    "routes.toml": '[routes.ships]\nwords = ["ship"]\n\n[routes.all]\n\n[routes.wide]\nurgency = 12\n',
    "watchlists.toml": '[lists.a]\nlabel = "SHIP"\nnames = []\n[lists.b]\npatterns = ["(a+)+"]\n',
    "webhooks.toml": '[webhooks.one]\nurl = "http://far.example/"\nroute = "ships"\n[webhooks.two]\nurl = "https://far.example/"\nroute = "ship"\n',
    "ca.pem": "no certificate",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {"wire.toml": SETTINGS, **FILES}.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def run(*arguments: str | Path, **environment: str) -> Result:
    return CliRunner().invoke(command, [str(each) for each in arguments], env=environment)


def test_check_tells_all_faults_of_all_files_with_their_places(folder: Path) -> None:
    done = run("check", "--config", folder / "wire.toml", WIREDESK_KAFKA_SERVER="kafka:9092")
    assert done.exit_code == 2
    expected = [
        r"wire\.toml:3: poll\.min_interval_s is -5; it must be a number above 0",
        r"wire\.toml:16: kafka\.password must be text in quotes \(its value is not shown\)",
        r"wire\.toml:20: unknown setting 'desk\.prot'; did you mean 'port'",
        r"WIREDESK_KAFKA_SERVER: no setting has this variable; did you mean 'WIREDESK_KAFKA_SERVERS'",
        r"feeds\.toml: feed 1 \(a\): url is missing",
        r"feeds\.toml: feed 2 \(b\): 'ftp://b\.example/' is no http or https URL",
        r"watchlists\.toml, line 1: \[lists\.a\]: label must be one of",
        r"watchlists\.toml, line 5: '\(a\+\)\+' can take for ever",
        r"routes\.toml:4: all has no condition",
        r"routes\.toml:7: wide: urgency is a number from 1",
        r"webhooks\.toml: one: url has no TLS",
        r"webhooks\.toml: two: no rule is called 'ship'; rules are ships",
        r"kafka\.ca_file: .*ca\.pem: not PEM",
    ]
    lines = done.stdout.splitlines()
    for pattern in expected:
        assert [line for line in lines if re.search(pattern, line)], (pattern, done.stdout)
    assert len(lines) == len(expected), done.stdout
    assert done.stderr.endswith(f"{len(expected)} faults\n")
    assert f"read {folder}/routes.toml\n" in done.stderr
    assert "12345" not in done.output


def test_check_finds_no_fault_in_what_is_bundled(tmp_path: Path) -> None:
    done = run("check", "--config", CONFIG_FOLDER / "wiredesk.toml")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr.endswith("no fault\n")


def test_check_tells_of_a_settings_file_that_is_no_toml_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "wire.toml").write_text("[poll\n")
    for name in ("wire.toml", "away.toml"):
        done = run("check", "--config", tmp_path / name)
        assert (done.exit_code, len(done.stdout.splitlines())) == (2, 1)
        assert name in done.stdout


def test_a_desk_that_is_open_to_others_is_a_fault(tmp_path: Path) -> None:
    done = run("check", WIREDESK_DESK_HOST="0.0.0.0")
    assert "open to the network" in done.stdout
    assert run("check", WIREDESK_DESK_HOST="0.0.0.0", WIREDESK_DESK_TOKEN="t" * 20).exit_code == 0


def test_show_says_where_each_was_said_and_hides_secrets(folder: Path) -> None:
    (folder / "wire.toml").write_text(
        '[kafka]\nservers = "kafka:9092"\n[elasticsearch]\nurl = "http://u:hidden@index.example:9200"\n[routes]\nfile = "routes.toml"\n'
    )
    (folder / "token").write_text("hidden-token-of-the-desk\n")
    done = run(
        "show", "--config", folder / "wire.toml", "--changed", WIREDESK_DESK_TOKEN_FILE=str(folder / "token"),
        WIREDESK_KAFKA_PASSWORD="hidden", WIREDESK_KAFKA_OPTIONS='{ sasl = "hidden" }',
    )  # fmt: skip
    assert done.exit_code == 0
    assert "hidden" not in done.output
    assert f'servers = "kafka:9092"  # {folder}/wire.toml' in done.stdout
    assert 'password = "(a secret)"  # WIREDESK_KAFKA_PASSWORD' in done.stdout
    assert f'token = "(a secret)"  # WIREDESK_DESK_TOKEN_FILE: {folder}/token' in done.stdout
    assert f"# {folder}/wire.toml: {folder}/routes.toml" in done.stdout
    assert tomllib.loads(done.stdout)["kafka"]["servers"] == "kafka:9092"
    assert "max_item_bytes" not in done.stdout
    everything = tomllib.loads(run("show").stdout)
    assert everything.keys() == tomllib.loads((CONFIG_FOLDER / "wiredesk.toml").read_text()).keys()


def test_the_schema_takes_what_is_bundled_and_refuses_what_the_reader_refuses() -> None:
    schema = json.loads(run("schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    bundled = tomllib.loads((CONFIG_FOLDER / "wiredesk.toml").read_text())
    assert list(validator.iter_errors(bundled)) == []
    mistakes: list[dict[str, object]] = [
        {"desk": {"prot": 1}}, {"desk": {"port": 70_000}}, {"log": {"level": "loud"}}, {"dekk": {}}
    ]  # fmt: skip
    for wrong in mistakes:
        assert list(validator.iter_errors(wrong)), wrong


def test_a_key_is_found_in_its_section() -> None:
    text = "a = 1\n[poll]\nport = 2\n[desk]\n# port = 3\n'port' = 4\n[sinks.events]\nfile = 5\n"
    assert [find_line(text, key) for key in ("poll.port", "desk.port", "sinks.events.file")] == [3, 6, 8]
    assert find_line("desk.port = 3", "desk.port") == 1
    assert find_line("[desk]", "desk") == 1
    assert find_line(text, "desk.host") is None
