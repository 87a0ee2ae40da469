"""What was made of inputs is counted by format: files once, items and reasons each."""

from __future__ import annotations

import pytest

from config.settings import Settings
from processors.errors import Rejected, Unreadable
from processors.model.event import RawItem
from streams.process import Input, Pipeline, chosen
from streams.tally import Tally

NOW = "2026-11-20T12:00:00Z"
DISPATCH = b"VIGO, Nov 18 (Reuters) - The ferry sailed on Wednesday with two hundred people on board."
FEED = (
    b'<rss version="2.0"><channel><title>x</title>'
    b"<item><guid>a</guid><title>The ferry sailed</title></item><item><guid>b</guid></item></channel></rss>"
)
PIPELINE = Pipeline(chosen(["normalise"]), Settings())


def told(*inputs: Input, batch: int = 32) -> list[str]:
    tally = Tally()
    for start in range(0, len(inputs), batch):
        some = inputs[start : start + batch]
        tally.add(some, PIPELINE(some))
    return [" ".join(line.split()) for line in tally.lines()]


def read(path: str, payload: bytes | Rejected, line: int | None = None, format_: str | None = None) -> Input:
    item = payload if isinstance(payload, Rejected) else RawItem(payload, NOW, input=path, format=format_)
    return Input(path, line, item)


def test_items_events_and_reasons_stand_beside_the_format_that_had_most_items() -> None:
    lines = told(
        read("a.txt", DISPATCH),
        read("b.xml", FEED),
        read("c.bin", bytes(range(256))),
        read("d", Unreadable("permission denied")),
    )
    assert lines == [
        "rss 1 file, 2 items, 1 event, 1 refused: 1 MissingContent",
        "unknown 2 files, 2 items, 0 events, 2 refused: 1 NotText, 1 Unreadable",
        "plain-text 1 file, 1 item, 1 event",
        "total 4 files, 5 items, 2 events, 3 refused: 1 MissingContent, 1 NotText, 1 Unreadable",
    ]


@pytest.mark.parametrize("batch", [1, 2, 32])
def test_a_file_of_many_lines_is_one_however_it_was_batched(batch: int) -> None:
    lines = told(
        *(
            read("a.jsonl", b'{"uri": "urn:x:%d", "headline": "Ferry %d"}' % (n, n), n + 1, "ninjs")
            for n in range(5)
        ),
        read("a.jsonl", b"{", 6, "ninjs"),
        read("b.jsonl", b'{"uri": "urn:x:9", "headline": "Boat"}', 1, "ninjs"),
        batch=batch,
    )
    assert lines == [
        "ninjs 2 files, 7 items, 6 events, 1 refused: 1 Malformed",
        "total 2 files, 7 items, 6 events, 1 refused: 1 Malformed",
    ]


def test_a_document_without_items_is_counted_by_what_it_is() -> None:
    empty = b'<rss version="2.0"><channel><title>x</title></channel></rss>'
    assert told(read("a.xml", empty))[0] == "rss 1 file, 0 items, 0 events"


def test_nothing_at_all_is_a_total_of_nothing() -> None:
    assert told() == ["total 0 files, 0 items, 0 events"]
