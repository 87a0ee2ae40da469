"""A story is followed from its raw item to the index; a topic is watched as it fills."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from config.settings import Settings
from processors.model.codec import decode
from processors.model.event import Event, RawItem
from processors.times import to_timestamp
from sinks.sqlite.writer import StoryIndex
from sinks.stories import now_ms
from streams.cli import cli
from streams.embedded.data_file import DATABASE
from streams.embedded.log import Log
from streams.messages import Message, Record, message, raw_message
from streams.steps import Work
from streams.topology import DUPLICATE, ENRICHED, NORMALISED, RAW, STEPS, UNIQUE
from tests.invented import story

NOW = now_ms()
OUT = "wire.out.economy.v1"


def item(number: int, **changes: object) -> RawItem:
    text = orjson.dumps(story(number, 60, created=to_timestamp(NOW)) | changes)
    return RawItem(text, to_timestamp(NOW - 60_000), feed="harbour")


ITEMS = [
    item(0, altIds=[{"role": "guid", "value": "tag:nda.example,2026:ferry/0"}]),
    item(0, uri="urn:invented:copy"),
    item(1),
    RawItem(b"<html><body>tag:nda.example,2026:page</body></html>", to_timestamp(NOW), feed="harbour"),
    item(2, pubStatus="withheld", embargoed=to_timestamp(NOW + 3_600_000)),
]


def append(log: Log, *messages: Message) -> list[Record]:
    """Write messages; the records that they are then."""
    log.append(messages)
    return [log.records(each.topic)[-1] for each in messages]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which items passed two steps, the index has what is new, and one went to a route."""
    folder = tmp_path_factory.mktemp("trace")
    log = Log(folder / DATABASE)
    normalise, deduplicate = (Work(step, Settings()) for step in STEPS[:2])
    for raw in ITEMS:
        (record,) = append(log, raw_message(raw, RAW.name))
        for made in normalise([record])[0]:  # type: ignore[union-attr]
            (normalised,) = append(log, made)
            if made.topic != NORMALISED.name:
                continue
            outcome = deduplicate([normalised])[0]
            assert not isinstance(outcome, Exception)
            append(log, *outcome)
            events = [
                decode(each.value, Event) for each in outcome if each.topic in {UNIQUE.name, DUPLICATE.name}
            ]
            with log.transaction():
                StoryIndex(log.connection).write(events)
    (first,) = log.records(UNIQUE.name, 0, 1)
    append(log, Message(OUT, first.key, first.value, first.timestamp, first.headers))
    log.commit("segment", {UNIQUE.name: 1})
    log.close()
    return folder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments), catch_exceptions=False)


def trace(folder: Path, query: str) -> dict[str, Any]:
    told = run("trace", "--data", str(folder), query, "--json")
    return dict(orjson.loads(told.stdout))


def kinds(told: dict[str, Any]) -> list[tuple[object, object]]:
    return [(one["kind"], one["topic"]) for one in told["passages"]]


@pytest.mark.parametrize("query", ["urn:invented:0", "tag:nda.example,2026:ferry/0"])
def test_a_story_is_followed_from_its_raw_item_to_route_and_index(folder: Path, query: str) -> None:
    told = trace(folder, query)
    assert kinds(told) == [
        ("received", RAW.name),
        ("made", NORMALISED.name),
        ("made", UNIQUE.name),
        ("routed", OUT),
    ]
    (trace_id,) = told["traces"]
    assert {one["trace"] for one in told["passages"]} == {trace_id}
    assert told["index"]["uri"] == "urn:invented:0"
    assert told["index"]["relation"] == "new"


def test_a_person_reads_times_steps_and_who_has_not_passed_it_yet(folder: Path) -> None:
    lines = run("trace", "--data", str(folder), "urn:invented:1").stdout.splitlines()
    assert lines[0].startswith("trace ")
    assert all(line.startswith(f"  {to_timestamp(NOW - 60_000)[:16]}") for line in lines[1:4])
    assert lines[1].endswith("feed harbour")
    assert "by deduplicate  new  waits for segment" in lines[3]
    assert lines[4].startswith("index: urn:invented:1 version 1, new")
    assert "passed normalise" in lines[6]


def test_a_repeat_says_that_it_is_one(folder: Path) -> None:
    told = trace(folder, "urn:invented:copy")
    assert kinds(told)[-1] == ("duplicate", DUPLICATE.name)
    assert told["index"]["story"] == "urn:invented:0"


def test_an_item_that_was_set_aside_is_found_by_what_its_bytes_say(folder: Path) -> None:
    told = trace(folder, "tag:nda.example,2026:page")
    assert kinds(told) == [("received", RAW.name), ("set aside", f"{RAW.name}.dlq")]
    assert told["passages"][1]["reason"].startswith("NotAFeed")
    assert told["index"] is None


def test_what_nobody_knows_ends_with_status_1(folder: Path) -> None:
    told = run("trace", "--data", str(folder), "urn:invented:none")
    assert told.exit_code == 1
    assert "no record and no story" in told.stdout


def tap(folder: Path, *arguments: str) -> Result:
    return run("tap", "--data", str(folder), *arguments)


def test_records_of_a_topic_are_shown_that_fit_a_query(folder: Path) -> None:
    every = tap(folder, "unique", "--from-start", "--once").stdout.splitlines()
    assert [orjson.loads(line)["value"]["story"]["uri"] for line in every] == [
        "urn:invented:0", "urn:invented:1", "urn:invented:2",
    ]  # fmt: skip
    first = orjson.loads(every[0])
    assert (first["topic"], first["offset"], first["headers"]["ce_relation"]) == (UNIQUE.name, 0, "new")
    words = story(1, 60)["headlines"][0]["value"].split()[1]
    (line,) = tap(folder, "unique", words, "--from-start", "--once").stdout.splitlines()
    assert orjson.loads(line)["offset"] == 1


def test_a_story_under_embargo_is_marked_in_both_forms(folder: Path) -> None:
    lines = tap(folder, "unique", "--from-start", "--once").stdout.splitlines()
    assert ["notice" in orjson.loads(line) for line in lines] == [False, False, True]
    short = tap(folder, "unique", "--from-start", "--once", "--short").stdout.splitlines()
    assert ["[EMBARGO until " in line for line in short] == [False, False, True]


@pytest.mark.parametrize(
    ("topic", "query", "what"),
    [("nowhere", "", "no topic is called"), ("stories", "", "no topic"), ("unique", "(", "query: ")],
)
def test_a_wrong_topic_or_query_is_one_line(folder: Path, topic: str, query: str, what: str) -> None:
    told = CliRunner().invoke(cli, ["tap", "--data", str(folder), topic, query])
    assert what in str(told.exception)
    assert type(told.exception).__name__ == "Misconfigured"


def test_what_comes_while_it_is_watched_is_shown(tmp_path: Path) -> None:
    log = Log(tmp_path / DATABASE)
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.wait(0.05):
            log.append(
                [message(ENRICHED.name, "k", b'{"story":{"uri":"urn:%d"}}' % number, NOW, source="test")]
            )
            number += 1

    writing = threading.Thread(target=write)
    writing.start()
    try:
        lines = tap(tmp_path, "enriched", "--limit", "2").stdout.splitlines()
    finally:
        stop.set()
        writing.join()
        log.close()
    assert len(lines) == 2
