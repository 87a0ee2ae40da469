"""Items as JSON Lines and as a JSON list are the same items, wherever they come in."""

from __future__ import annotations

import io

import orjson
import pytest

from config.settings import Normalise, Poll
from processors.errors import Malformed, Rejected, UnknownFormat
from processors.model.event import Event, RawItem
from processors.normalise import normalise
from processors.normalise.portions import portions
from streams.pollers.feed import Feed
from streams.pollers.fetch import Answer
from streams.pollers.judge import judge_answer
from streams.pollers.state import FeedState
from tests.processors.normalise.samples import RECEIVED, outcomes

ITEMS = [
    {
        "uri": f"urn:x:{number}",
        "versionCreated": "2026-02-03T09:00:00Z",
        "headlines": [{"role": "main", "value": f"Ferry {number} runs again\u2028today"}],
        "bodies": [
            {"role": "main", "contentType": "text/plain", "value": "The ferry of Port Alder runs again."}
        ],
    }
    for number in range(1, 4)
]
LINES = [orjson.dumps(item) for item in ITEMS]
FORMS = {
    "lines": b"\n".join(LINES) + b"\n",
    "lines with carriage returns and a blank one": b"\r\n\r\n".join(LINES),
    "a byte order mark": b"\xef\xbb\xbf" + b"\n".join(LINES),
    "record separators": b"".join(b"\x1e" + line + b"\n" for line in LINES),
    "a list": b"[" + b",\n".join(LINES) + b"]",
    "a list on one line": b"[" + b",".join(LINES) + b"]",
    "a response": b'{"items": [' + b",".join(LINES) + b"]}",
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_items(form: str) -> None:
    events = outcomes(FORMS[form])
    assert [event.story.uri for event in events if isinstance(event, Event)] == [
        "urn:x:1",
        "urn:x:2",
        "urn:x:3",
    ]
    assert next(event.headline for event in events if isinstance(event, Event)) == "Ferry 1 runs again today"


@pytest.mark.parametrize("form", FORMS)
def test_a_poll_takes_every_form(form: str) -> None:
    feed = Feed("x", "https://wire.example/items")
    verdict = judge_answer(feed, FeedState(), Answer(feed.url, 200, body=FORMS[form]), Poll(), 1e9, 0.5)
    assert verdict.outcome == "new"
    assert len([event for item in verdict.items for event in normalise(item, Normalise())]) == 3


def test_a_torn_line_is_told_and_the_others_are_read() -> None:
    events = outcomes(b"\n".join([LINES[0], LINES[1][:40], LINES[2]]))
    assert [type(event) for event in events] == [Event, Malformed, Event]
    assert "line 2" in str(events[1])


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        (b'{"a": 1}\n{"b": 2}\n', UnknownFormat),
        (b'{"uri": "urn:x:1",\n"type": "text",\n"headline": {}\n', Malformed),
        (LINES[0][:50] + b"\n", Malformed),
    ],
)
def test_other_lines_are_refused(payload: bytes, error: type[Rejected]) -> None:
    with pytest.raises(error):
        outcomes(payload)


def test_more_lines_than_a_feed_may_have_entries_are_read() -> None:
    many = b"\n".join([LINES[0]] * 30)
    assert len(normalise(RawItem(many, RECEIVED), Normalise(max_entries=10))) == 30


def test_a_long_file_of_lines_is_cut_between_them() -> None:
    many = b"\n".join(LINES * 40)
    pieces = list(portions(io.BytesIO(many).read, 2000, 900))
    assert b"".join(pieces) == many
    assert max(map(len, pieces)) < 2000
    assert all(piece.endswith((b"}", b"}\n")) for piece in pieces)
