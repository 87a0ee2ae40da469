"""Dead letters can be found, shown as the publisher sent them, and put back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from processors.errors import Malformed, NotAFeed, Rejected
from processors.model.event import RawItem
from sinks.desk.control import LetterChoice, LetterFilter
from streams.commands.dlq import command
from streams.embedded.data_file import DATABASE
from streams.embedded.log import Log
from streams.embedded.maintenance import EmbeddedDeadLetters
from streams.messages import Record, dead_letter, raw_message, without_bytes
from streams.operations.letters import LetterDesk
from streams.topology import RAW

DLQ = RAW.dead_letters.name


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    log = Log(tmp_path / DATABASE)
    told: list[tuple[str, bytes, Rejected]] = [
        ("bbc", b"<rss><item>\xff", Malformed("cut off; ask for it again")),
        ("dw", b"<html>", NotAFeed("a page\twith tabs")),
    ]
    for offset, (feed, payload, error) in enumerate(told):
        raw = raw_message(RawItem(payload, f"2026-01-31T12:0{offset}:00Z", feed=feed), RAW.name)
        record = Record(RAW.name, 0, offset, raw.key, raw.value, raw.timestamp, raw.headers)
        log.append([dead_letter(record, "normalise", error)])
    log.close()
    return tmp_path


def dlq(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(command, [*arguments, "--data", str(folder)])


def test_letters_are_listed_with_their_reason(folder: Path) -> None:
    listed = dlq(folder, "list")
    assert listed.exit_code == 0
    first, second = listed.stdout.splitlines()
    assert first.split("\t") == [
        f"{DLQ}/0/0", "2026-01-31T12:00:00.000Z", "normalise", "Malformed", "bbc", "cut off; ask for it again",
    ]  # fmt: skip
    assert second.split("\t")[-1] == "a page with tabs"


@pytest.mark.parametrize(
    ("chosen", "count"),
    [
        (("--feed", "dw"), 1),
        (("--error", "malformed"), 1),
        (("--step", "tag"), 0),
        (("--since", "2026-01-31T12:01:00Z"), 1),
        (("--since", "2026-01-31T13:00:00+01:00"), 2),
    ],
)
def test_filters_choose(folder: Path, chosen: tuple[str, ...], count: int) -> None:
    assert len(dlq(folder, "list", *chosen).stdout.splitlines()) == count


def test_the_bytes_come_out_as_they_were_sent(folder: Path) -> None:
    assert dlq(folder, "show", f"{DLQ}/0/0").stdout_bytes == b"<rss><item>\xff"
    assert "x-error-type: Malformed" in dlq(folder, "show", "--headers", f"{DLQ}/0/0").stdout


def test_an_unknown_letter_is_bad_usage(folder: Path) -> None:
    shown = dlq(folder, "show", f"{DLQ}/0/99")
    assert shown.exit_code == 2
    assert "wiredesk dlq list" in shown.stderr


def test_a_replay_puts_the_item_back_and_counts(folder: Path) -> None:
    assert dlq(folder, "replay", "--feed", "bbc").stdout == "1 replayed\n"
    log = Log(folder / DATABASE)
    [record] = log.records(RAW.name)
    assert [each.key for each in log.records(DLQ)] == [b"dw"]
    log.close()
    headers = dict(record.headers)
    assert headers["x-replays"] == b"1"
    assert "x-error-type" not in headers
    assert headers["ce_type"] == b"org.wiredesk.items.raw.v1"


def test_a_letter_without_bytes_is_not_replayed(folder: Path) -> None:
    """No topic took so many: the headers say what it was, and where the bytes stood."""
    log = Log(folder / DATABASE)
    raw = raw_message(RawItem(b"<rss>" * 9, "2026-01-31T12:09:00Z", feed="nda"), RAW.name)
    record = Record(RAW.name, 0, 9, raw.key, raw.value, raw.timestamp, raw.headers)
    log.append([without_bytes(dead_letter(record, "normalise", Malformed("too long")))])
    log.close()
    only = dlq(folder, "replay", "--feed", "nda")
    assert (only.exit_code, only.stdout) == (1, "0 replayed\n")
    assert only.stderr.startswith(f"1 stay ({DLQ}/0/2, …): they hold no bytes")
    desk = LetterDesk(lambda: EmbeddedDeadLetters(folder / DATABASE))
    outcome = asyncio.run(desk.replay(LetterChoice(filter=LetterFilter(feed="nda"))))
    assert (outcome.changed, outcome.empty) == (0, (f"{DLQ}/0/2",)), "from the desk neither"
    all_letters = dlq(folder, "replay")
    assert (all_letters.exit_code, all_letters.stdout) == (0, "2 replayed\n")
    assert len(dlq(folder, "list").stdout.splitlines()) == 1, "it stays until somebody drops it"


def test_dropping_wants_a_choice(folder: Path) -> None:
    assert dlq(folder, "drop").exit_code == 2
    assert dlq(folder, "drop", f"{DLQ}/0/1").stdout == "1 dropped\n"
    assert len(dlq(folder, "list").stdout.splitlines()) == 1
