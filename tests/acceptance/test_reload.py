"""A running ``wiredesk run`` takes feeds, routes and watch lists that change, and one that begins on its data takes over."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pytest

from streams.embedded.data_file import DATABASE
from tests.acceptance.conftest import free_port
from tests.acceptance.test_run import at_least, events, fetched, lines, running, says, until

pytestmark = pytest.mark.acceptance

DISPATCH = """{0} sails again

PORT ALDER, Jan 22 (NNA) - The {0} sailed again on Thursday after {1} days in the dock, its owner said.
"""


def watched(event: dict[str, Any]) -> set[str]:
    return {name for entity in event.get("entities", ()) for name in entity.get("watchlists", ())}


def routed(data: Path) -> int:
    with sqlite3.connect(f"file:{data / DATABASE}?mode=ro", uri=True) as connection:
        query = "SELECT COUNT(*) FROM records WHERE topic = 'wire.out.ships.v1'"
        return int(connection.execute(query).fetchone()[0])


def test_files_that_change_are_taken_without_a_restart(wiredesk: str, tmp_path: Path) -> None:
    log, written, data, drop = (tmp_path / name for name in ("log", "events.jsonl", "data", "drop"))
    feeds, routes, watchlists = (tmp_path / f"{name}.toml" for name in ("feeds", "routes", "watchlists"))
    feeds.write_text('[[feeds]]\nid = "far"\nurl = "http://far.invalid/rss"\n')
    routes.write_text("[routes.urgent]\nurgency = 1\n")
    watchlists.write_text('[lists.towns]\nnames = ["Port Alder"]\n')
    config = tmp_path / "wire.toml"
    config.write_text(
        f'[poll]\nfeeds = "feeds.toml"\ndrop_folder = "{drop}"\ndrop_interval_s = 0.1\n'
        '[routes]\nfile = "routes.toml"\n[tag]\nwatchlists = "watchlists.toml"\n[log]\nformat = "json"\n'
    )
    port = free_port()
    command = [wiredesk, "run", "--config", str(config), "--data", str(data), "--port", str(port)]

    def list_feeds() -> list[str]:
        answer = fetched(f"http://127.0.0.1:{port}/api/feeds") or {"feeds": []}
        return [feed["id"] for feed in answer["feeds"]]

    def reload_lines() -> list[dict[str, Any]]:
        found = [json.loads(line) for line in lines(log) if b'"reloaded"' in line]
        return [
            {name: line[name] for name in ("feeds", "routes", "watchlists") if name in line} for line in found
        ]

    def send(number: int) -> dict[str, Any]:
        name = f"Lille Maren {'ABCDE'[number]}"
        (drop / f"{number}.txt").write_text(DISPATCH.format("Lille Maren", number + 20) + name)
        until(at_least(written, number + 1), 60, process, log)
        return events(written)[number]

    with running(*command, "--events", str(written), log=log) as process:
        until(lambda: list_feeds() == ["far"] and drop.exists(), 60, process, log)
        assert watched(send(0)) == {"towns"}
        asked = subprocess.run(
            [wiredesk, "feeds", "add", "http://near.invalid/rss", "--unchecked", "--id", "near", "--config", str(config), "--data", str(data)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert f"`wiredesk run` takes it within 2 seconds (process {process.pid} on " in asked.stderr
        until(lambda: list_feeds() == ["far", "near"], 60, process, log)
        watchlists.write_text(
            '[lists.towns]\nnames = ["Port Alder"]\n[lists.fleet]\nnames = ["Lille Maren"]\n'
        )
        routes.write_text('[routes.ships]\nwatchlists = ["fleet"]\n')
        until(lambda: len(reload_lines()) > 1 and "watchlists" in str(reload_lines()), 60, process, log)
        until(lambda: "ships" in str(reload_lines()), 60, process, log)
        assert watched(send(1)) == {"towns", "fleet"}
        until(lambda: routed(data) == 1, 60, process, log)
        watchlists.write_text("[lists.towns]\nnames = [")
        until(says(log, b"what has changed is not taken"), 60, process, log)
        assert watched(send(2)) == {"towns", "fleet"}
        process.send_signal(signal.SIGHUP)
        until(lambda: log.read_bytes().count(b"what has changed is not taken") == 2, 60, process, log)
        second = subprocess.run([*command[:-1], "0"], capture_output=True, text=True, check=False)
        assert second.returncode == 2
        assert f"process {process.pid} on " in second.stderr
        assert "Traceback" not in log.read_text("utf-8") + second.stderr
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert reload_lines()[0] == {"feeds": "+near"}
    assert "wiredesk has stopped" in log.read_text("utf-8").splitlines()[-1]
