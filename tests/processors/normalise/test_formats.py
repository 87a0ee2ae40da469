"""The one list of formats: everything that depends on a format follows from its `FORMAT` value."""

from __future__ import annotations

import json
from io import BytesIO

import pytest

from config.settings import Normalise
from processors.errors import Rejected
from processors.model.event import RawItem
from processors.model.story import Story
from processors.normalise import normalise
from processors.normalise.formats import BY_NAME, BY_ROOT, FEED_NAMES, FORMATS
from processors.normalise.portions import portions
from processors.normalise.reading import Document, Format, Reading
from tests.processors.normalise.samples import INPUTS, RECEIVED

REFUSED = {"html", "xml"}  # documents that hold no story
PER_ITEM = {
    "digitalwires",
    "json",
}  # which have no golden document of their own: JSON is what others stand in


def test_a_name_and_a_root_belong_to_one_format() -> None:
    assert len(BY_NAME) == len(FORMATS)
    assert len(BY_ROOT) == sum(len(format_.roots) for format_ in FORMATS)


def test_every_format_has_a_golden_pair() -> None:
    events = [json.loads(path.with_name(f"{path.name}.expected.json").read_text("utf-8")) for path in INPUTS]
    covered = {
        event["provenance"]["format"] for outcomes in events for event in outcomes if "provenance" in event
    }
    assert set(BY_NAME) - covered <= REFUSED | PER_ITEM


def test_every_format_but_plain_xml_is_recognised_by_something() -> None:
    silent = [
        format_.name
        for format_ in FORMATS
        if not format_.roots and format_.is_document is None and format_.is_json is None
    ]
    assert silent == ["xml"]


def test_feeds_are_those_that_the_pollers_take_apart() -> None:
    from streams.pollers.documents import ENTRY_OF, split_document

    assert {"rss", "rdf", "atom", "news-sitemap", "json-feed"} == FEED_NAMES
    assert ENTRY_OF == {
        b"rss": b"item",
        b"channel": b"item",
        b"rdf": b"item",
        b"feed": b"entry",
        b"urlset": b"url",
    }
    for path in INPUTS:
        (first, *_) = json.loads(path.with_name(f"{path.name}.expected.json").read_text("utf-8"))
        if first["provenance"]["format"] in FEED_NAMES:
            assert split_document(path.read_bytes()).entries
        else:
            with pytest.raises(Rejected):
                split_document(path.read_bytes())


def test_a_format_is_read_by_its_name_whatever_the_bytes_look_like() -> None:
    sent = RawItem(b'{"uri": "urn:x:1", "headline": "Ferry"}', RECEIVED, format="plain-text")
    (event,) = normalise(sent, Normalise())
    assert not isinstance(event, Rejected)
    assert event.provenance
    assert (event.provenance.format, event.text) == ("plain-text", '{"uri": "urn:x:1", "headline": "Ferry"}')


def test_a_json_format_is_found_wherever_items_of_json_stand() -> None:
    invented = Format(
        name="tide-table",
        read=BY_NAME["json"].read,
        is_json=lambda value: isinstance(value, dict) and "tide" in value,
        read_json=lambda value, _document: [Reading("tide-table", Story(""), value["tide"])],
    )
    formats = (invented, *FORMATS)
    text = '{"data": [{"tide": "High at nine"}, {"uri": "urn:x:1", "headline": "Ferry", "type": "text"}]}'
    document = Document(text, RawItem(text.encode(), RECEIVED), 10, formats)
    readings = BY_NAME["json"].read(document)
    assert [(reading.format, reading.headline) for reading in readings if isinstance(reading, Reading)] == [
        ("tide-table", "High at nine"),
        ("ninjs", "Ferry"),
    ]


@pytest.mark.parametrize("message", [b"ZCZC\nThe ferry stops.\nNNNN\n", b"\x01The ferry stops.\r\n\x04"])
def test_a_wire_is_cut_behind_an_end_of_message(message: bytes) -> None:
    parts = list(portions(BytesIO(message * 9).read, 1000, len(message) * 2))
    assert len(parts) > 2
    assert all(part == message * (len(part) // len(message)) for part in parts)
    assert b"".join(parts) == message * 9
