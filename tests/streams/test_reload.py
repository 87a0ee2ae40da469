"""The operator's files are read again whole or not at all, and one line says what came of it."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from config import Misconfigured
from config.settings import Poll, Routes, Settings, Tag, Webhooks
from processors.errors import Unreachable
from sinks.metrics import RELOAD_REFUSED
from streams.operator_files import feeds_part, routes_part, watchlists_part, webhooks_part
from streams.reload import MAX_SHOWN_NAMES, FileReloader, ReloadPart, describe_changes, follow_files

FEED = '[[feeds]]\nid = "{0}"\nurl = "http://feeds.example/{0}"\n'
RULE = '[routes.{0}]\nwords = ["{0}"]\n'
SECRET = "whsec_" + "A" * 43 + "="


class Taken:
    """What was put in force, in order."""

    def __init__(self) -> None:
        self.values: list[Any] = []

    async def use(self, value: Any) -> None:
        self.values.append(value)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "feeds.toml").write_text(FEED.format("ferry") + FEED.format("museum"))
    (tmp_path / "routes.toml").write_text(RULE.format("ferry"))
    (tmp_path / "webhooks.toml").write_text(
        '[webhooks.newsroom]\nurl = "https://newsroom.example/in"\nroute = "ferry"\n'
    )
    return tmp_path


def settings(files: Path) -> Settings:
    return Settings(
        poll=Poll(feeds=str(files / "feeds.toml")),
        routes=Routes(file=str(files / "routes.toml")),
        webhooks=Webhooks(file=str(files / "webhooks.toml")),
        tag=Tag(watchlists=str(files / "watchlists.toml")),
    )


async def look_twice(reloader: FileReloader) -> list[Any]:
    """A file must stand still between two looks; the lines that came of both."""
    with capture_logs() as lines:
        await reloader.look()
        await reloader.look()
    return lines


async def test_one_line_says_what_was_added_removed_and_changed(files: Path) -> None:
    feeds = Taken()
    reloader = FileReloader([feeds_part(settings(files), feeds.use)])
    await reloader.begin()
    assert await look_twice(reloader) == []
    (files / "feeds.toml").write_text(FEED.format("ferry") + "paused = true\n" + FEED.format("harbour"))
    lines = await look_twice(reloader)
    assert lines == [{"event": "reloaded", "feeds": "+harbour -museum ~ferry", "log_level": "info"}]
    assert [[feed.id for feed in taken] for taken in feeds.values] == [["ferry", "harbour"]]
    assert await look_twice(reloader) == []


async def test_a_file_that_is_being_written_is_not_read(files: Path) -> None:
    feeds = Taken()
    reloader = FileReloader([feeds_part(settings(files), feeds.use)])
    await reloader.begin()
    for end in range(20, 60, 10):  # in pieces, of which one is whole and lacks a feed
        (files / "feeds.toml").write_text((FEED.format("ferry") + FEED.format("museum"))[:end])
        await reloader.look()
    assert feeds.values == []


async def test_a_fault_in_one_file_keeps_all_from_being_taken_and_is_told_once(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIREDESK_WEBHOOK_NEWSROOM_SECRET", SECRET)
    feeds, rules, targets = Taken(), Taken(), Taken()
    own = settings(files)
    parts = [feeds_part(own, feeds.use), routes_part(own, rules.use), webhooks_part(own, targets.use)]
    reloader = FileReloader(parts)
    await reloader.begin()
    (files / "feeds.toml").write_text(FEED.format("ferry"))
    (files / "routes.toml").write_text(RULE.format("museum"))  # the webhook's rule is gone
    lines = await look_twice(reloader) + await look_twice(reloader)
    assert [line["log_level"] for line in lines] == ["error"]
    assert "newsroom: no rule is called 'ferry'" in lines[0]["error"]
    assert feeds.values == rules.values == targets.values == []
    assert RELOAD_REFUSED._value.get() == 1
    (files / "routes.toml").write_text(RULE.format("museum") + RULE.format("ferry"))
    lines = await look_twice(reloader)
    assert lines == [
        {"event": "reloaded", "feeds": "-museum", "routes": "+museum", "log_level": "info"},
    ], "what was refused before is taken as well"
    assert len(feeds.values) == len(rules.values) == len(targets.values) == 1
    assert RELOAD_REFUSED._value.get() == 0


async def test_a_file_that_is_gone_leaves_what_was_in_force(files: Path) -> None:
    feeds = Taken()
    reloader = FileReloader([feeds_part(settings(files), feeds.use)])
    (files / "feeds.toml").unlink()
    [line] = await look_twice(reloader)
    assert "No such file" in line["error"]
    assert feeds.values == []


async def test_what_the_world_keeps_from_being_taken_is_tried_again(files: Path) -> None:
    outages = [Unreachable("Kafka is away"), Unreachable("Kafka is away")]
    feeds = Taken()

    async def use(value: Any) -> None:
        if outages:
            raise outages.pop()
        await feeds.use(value)

    reloader = FileReloader([feeds_part(settings(files), use)])
    await reloader.begin()
    (files / "feeds.toml").write_text(FEED.format("ferry"))
    lines = await look_twice(reloader) + await look_twice(reloader)
    assert [line["event"] for line in lines] == ["what was read again waits"] * 2 + ["reloaded"]
    assert len(feeds.values) == 1


async def test_the_files_that_a_watch_list_names_are_looked_at_too(files: Path) -> None:
    (files / "watchlists.toml").write_text(
        '[lists.ships]\nfile = "ships.txt"\n[lists.towns]\nnames = ["Alder"]\n'
    )
    (files / "ships.txt").write_text("Lille Maren\n")
    renewed: list[None] = []

    async def renew() -> None:
        renewed.append(None)

    reloader = FileReloader([watchlists_part(settings(files), renew)])
    await reloader.begin()
    (files / "ships.txt").write_text("Lille Maren\nSanta Fiora\n")
    assert await look_twice(reloader) == [{"event": "reloaded", "watchlists": "~ships", "log_level": "info"}]
    (files / "ships.txt").write_text("/(a+)+b/\n")
    [line] = await look_twice(reloader)
    assert "ships.txt, line 1" in line["error"]
    assert len(renewed) == 1


async def test_sighup_reads_at_once_what_looks_alike(files: Path) -> None:
    taken = asyncio.Event()

    async def use(_value: Any) -> None:
        taken.set()

    reloader = FileReloader([feeds_part(settings(files), use)])
    async with follow_files(reloader, asyncio.Event()):
        await asyncio.sleep(0)
        os.kill(os.getpid(), signal.SIGHUP)
        async with asyncio.timeout(60):
            await taken.wait()
    os.kill(os.getpid(), signal.SIGHUP)  # while the process ends
    await asyncio.sleep(0)


async def test_sighup_of_a_terminal_that_has_gone_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    master, terminal = os.openpty()
    monkeypatch.setattr("streams.reload._terminal", lambda: terminal)
    stop = asyncio.Event()
    async with follow_files(FileReloader([]), stop):
        await asyncio.sleep(0)
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0)
        assert not stop.is_set(), "somebody at the terminal wants the files to be read"
        os.close(master)
        os.kill(os.getpid(), signal.SIGHUP)
        async with asyncio.timeout(60):
            await stop.wait()
    os.close(terminal)


def test_many_changes_are_counted() -> None:
    after = {f"feed-{number}": number for number in range(MAX_SHOWN_NAMES + 3)}
    line = describe_changes({}, after)
    assert line.count("+") == MAX_SHOWN_NAMES
    assert line.endswith(" and 3 more")
    assert describe_changes(after, after) == ""


async def test_a_part_that_was_changed_before_it_was_named_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("1")
    taken = Taken()

    def load() -> str:
        text = path.read_text()
        if text == "wrong":
            raise Misconfigured("wrong")
        return text

    reloader = FileReloader([ReloadPart("part", lambda: [path], load, lambda text: {text: 1}, taken.use)])
    path.write_text("wrong")
    await reloader.begin()
    path.write_text("22")
    await look_twice(reloader)
    assert taken.values == ["22"]
