"""What an operator does wrong, or meets at three in the morning, is one line that says what to do."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from config import Misconfigured, install_hint
from config.settings import Settings
from processors.errors import Unreachable
from processors.model.event import RawItem
from streams import cli as command_line
from streams.cli import PACKAGE_EXTRAS, cli
from streams.embedded.data_file import DATABASE
from streams.embedded.log import Log
from streams.messages import Record, raw_message
from streams.startup import may_colour
from streams.steps import Work
from streams.topology import BACKFILL, RAW, STEPS
from tests.invented import line

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("is_terminal", "environment", "colours"),
    [
        (True, {}, True),
        (True, {"NO_COLOR": ""}, True),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"TERM": "dumb"}, False),
        (False, {"TERM": "xterm"}, False),
    ],
)
def test_lines_have_colours_only_where_they_are_wanted(
    is_terminal: bool, environment: dict[str, str], colours: bool
) -> None:
    assert may_colour(is_terminal, environment) == colours


@pytest.mark.parametrize("module", sorted(PACKAGE_EXTRAS))
def test_a_missing_extra_is_one_line(
    module: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise ModuleNotFoundError(f"No module named '{module}.errors'", name=f"{module}.errors")

    monkeypatch.setattr(command_line, "cli", fail)
    monkeypatch.setattr(command_line, "configure_numpy", lambda _: None)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.count("\n") == 1
    assert install_hint(PACKAGE_EXTRAS[module]) in said
    assert ("make fleet" in said) == (PACKAGE_EXTRAS[module] != "parquet")


def test_the_extras_that_are_told_exist() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert set(PACKAGE_EXTRAS.values()) <= project["optional-dependencies"].keys()
    assert "wiredesk[" not in install_hint("kafka"), "no index has it, and somebody may take the name"


def test_a_module_that_is_missing_by_our_own_fault_is_no_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ModuleNotFoundError("No module named 'streams.gone'", name="streams.gone")

    monkeypatch.setattr(command_line, "cli", fail)
    monkeypatch.setattr(command_line, "configure_numpy", lambda _: None)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    with pytest.raises(ModuleNotFoundError):
        command_line.main()


def test_an_export_into_nowhere_is_refused_before_it_begins(tmp_path: Path) -> None:
    Log(tmp_path / DATABASE).close()
    done = CliRunner().invoke(cli, ["export", "--data", str(tmp_path), "-o", f"{tmp_path}/no/x.jsonl"])
    assert isinstance(done.exception, Misconfigured)
    assert "no/x.jsonl: No such file or directory; name a file" in str(done.exception)


def test_no_help_shows_a_mark_of_clicks_own() -> None:
    def texts(command: object, path: tuple[str, ...]) -> list[tuple[str, ...]]:
        done = CliRunner().invoke(cli, [*path, "--help"])
        assert done.exit_code == 0, path
        found = [path] if "\\b" in done.output or "\b" in done.output else []
        for name in getattr(command, "list_commands", lambda _: [])(None):
            below = command.get_command(None, name)  # type: ignore[attr-defined]
            found += texts(below, (*path, name))
        return found

    assert texts(cli, ()) == []


def test_a_backfill_that_waits_for_nobody_ends(tmp_path: Path) -> None:
    item = b'{"uri": "urn:a", "headline": "A"}\n'
    done = CliRunner().invoke(cli, ["backfill", "--wait", "--data", str(tmp_path), "-"], input=item)
    assert done.exit_code == 1
    assert f"1 wait, and no `wiredesk run` takes them: start one with --data {tmp_path}" in done.stderr
    again = CliRunner().invoke(cli, ["backfill", "--data", str(tmp_path), "-"], input=item)
    assert again.exit_code == 0, "who does not wait has sent what was to be sent"


def test_a_dry_run_cries_over_no_story_that_came_the_other_way(tmp_path: Path) -> None:
    work, log = Work(STEPS[0], Settings()), Log(tmp_path / DATABASE)
    for number, topic in enumerate([RAW.name, RAW.name, BACKFILL.name]):
        item = RawItem(
            line(number, 60), f"2026-11-20T12:0{number}:00Z", feed="live", format="ninjs", backfill=topic == BACKFILL.name
        )  # fmt: skip
        sent = raw_message(item, topic)
        [outcome] = work([Record(topic, 0, number, sent.key, sent.value, sent.timestamp, sent.headers)])
        assert not isinstance(outcome, Exception)
        log.append([sent, *outcome])
    log.close()
    since = ["replay", "--data", str(tmp_path), "--since", "2026-11-20T12:00:00Z", "--dry-run"]
    live, old = (CliRunner().invoke(cli, [*since, *more]).output for more in ([], ["--backfilled"]))
    assert "2  stories are the same" in live
    assert "0  stories would be gone" in live
    assert "1  stories are the same" in old
    assert "0  stories would be gone" in old


def test_a_look_at_topics_without_a_broker_ends(unused_tcp_port: int) -> None:
    done = CliRunner(env={"WIREDESK_KAFKA_SERVERS": f"127.0.0.1:{unused_tcp_port}"}).invoke(
        cli, ["topics", "check"]
    )
    assert isinstance(done.exception, Unreachable)
    assert f"Kafka at 127.0.0.1:{unused_tcp_port} does not answer" in str(done.exception)


def test_a_python_without_venv_leaves_nothing_behind_and_says_what_to_install(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(
        '#!/bin/sh\n[ "$1" = -m ] && mkdir -p "$3/bin" && touch "$3/bin/python" && exit 1\nexit 0\n'
    )
    python.chmod(0o755)
    made = tmp_path / "venv"
    done = subprocess.run(
        ["make", "-s", f"VENV={made}", f"PYTHON={python}", f"{made}/bin/python"],
        cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "MAKEFLAGS": ""},
    )  # fmt: skip
    assert done.returncode != 0
    assert "apt install python3-venv" in done.stderr
    assert not made.exists()
