"""What a document is comes from its first characters alone: no other format's name, type or quotation misleads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from processors.model.event import Event
from processors.normalise.decode import decode
from processors.normalise.formats import BY_NAME, sniff
from processors.normalise.formats import FORMATS as KNOWN
from tests.processors.normalise.samples import GOLDEN, INPUTS, outcomes

DISPATCHES = Path(__file__).parents[1] / "segment" / "golden"
MEDIA_TYPES = ("application/octet-stream", *(kind for format_ in KNOWN for kind in format_.media_types))


def sniffed_as(path: Path) -> str:
    """What a golden document is sniffed as: the format of its first event, of JSON only that it is JSON."""
    events = json.loads(path.with_name(f"{path.name}.expected.json").read_bytes())
    name: str = events[0]["provenance"]["format"]
    return "json" if BY_NAME[name].is_json else name


FORMATS = {path.name: sniffed_as(path) for path in INPUTS}
DISGUISES = {
    "a mark at its head": lambda text: "\ufeff" + text,
    "blank lines before": lambda text: "\n \r\n\t" + text,
    "lines that end in CR LF": lambda text: text.replace("\r\n", "\n").replace("\n", "\r\n"),
}


def formats(name: str, **envelope: str) -> list[str]:
    """The format of each event that a golden document makes; of a refused item its error."""
    events = outcomes((GOLDEN / name).read_bytes(), **envelope)
    return [
        str(event.provenance and event.provenance.format) if isinstance(event, Event) else event.type
        for event in events
    ]


def expected(name: str) -> list[str]:
    events = json.loads((GOLDEN / f"{name}.expected.json").read_text("utf-8"))
    return [event["error"] if "error" in event else event["provenance"]["format"] for event in events]


@pytest.mark.parametrize(("name", "expected"), FORMATS.items())
def test_every_format_is_told_from_its_first_characters(name: str, expected: str) -> None:
    text = decode((GOLDEN / name).read_bytes())
    assert sniff(text) == expected
    assert sniff("\ufeff\n " + text) == expected


@pytest.mark.parametrize("name", FORMATS)
def test_no_media_type_or_address_of_another_format_misleads(name: str) -> None:
    for media_type in MEDIA_TYPES:
        assert formats(name, media_type=media_type) == expected(name), media_type
    for other in FORMATS:
        assert formats(name, url=f"https://wire.example/{other}") == expected(name), other


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("name", FORMATS)
def test_no_disguise_hides_a_format(name: str, disguise: str) -> None:
    text = decode((GOLDEN / name).read_bytes())
    assert sniff(DISGUISES[disguise](text)) == FORMATS[name]


@pytest.mark.parametrize("path", sorted(DISPATCHES.glob("*.txt")), ids=lambda path: path.stem)
def test_a_dispatch_of_any_agency_is_plain_text(path: Path) -> None:
    assert sniff(decode(path.read_bytes())) == "plain-text"


@pytest.mark.parametrize("name", FORMATS)
def test_a_dispatch_that_quotes_a_document_stays_a_dispatch(name: str) -> None:
    quoted = decode((GOLDEN / name).read_bytes())
    dispatch = f"PORT ALDER, Jan 22 (NNA) - The harbour's system sent this by mistake on Monday:\n\n{quoted}"
    assert sniff(dispatch) == "plain-text"


@pytest.mark.parametrize("name", FORMATS)
def test_a_feed_that_carries_a_document_in_an_entry_stays_a_feed(name: str) -> None:
    carried = decode((GOLDEN / name).read_bytes()).replace("]]>", "")
    item = f"<item><guid>a</guid><title>A</title><description><![CDATA[{carried}]]></description></item>"
    assert sniff(f'<rss version="2.0"><channel><title>T</title>{item}</channel></rss>') == "rss"


@pytest.mark.parametrize(
    "text", ["MOSCOW: talks to go on\n\nText.", "Note: to: editors", "< 5 per cent", "From: here on"]
)
def test_prose_is_no_other_format(text: str) -> None:
    assert sniff(text) == "plain-text"


@pytest.mark.parametrize(
    "text", ["a1645 tons of tin\nb a ship took them\n", "eca0003 is the number\n", "abx0012 3 men\n\nText."]
)
def test_prose_that_begins_with_a_number_is_no_wire_message(text: str) -> None:
    assert sniff(text) == "plain-text"


@pytest.mark.parametrize(
    "text",
    [
        "<America First Guaranteed\nMortgage Fund> said it will pay a dividend.",
        "<ABC.N> said it will pay a dividend.",
        "<Harbour Trust 'A' Shares> rose on Monday.\n\n</end>",
    ],
)
def test_a_company_in_angle_brackets_opens_no_xml(text: str) -> None:
    assert sniff(text) == "plain-text"


@pytest.mark.parametrize(
    "text",
    [
        "<news><item/></news>",
        "<news/>",
        "<?xml version='1.0'?><news>",
        "<a:news xmlns:a='urn:a' b=\"c\"><a:x/></a:news>",
    ],
)
def test_xml_of_no_known_vocabulary_is_told_as_such(text: str) -> None:
    assert sniff(text) == "xml"
