"""What the wires of teleprinters tell in words of their own."""

from __future__ import annotations

import pytest

from config.settings import Normalise
from processors.model.event import Event, RawItem
from processors.normalise import normalise
from processors.normalise.wire import find_wire_date


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("221530 GMT JAN 26", "2026-01-22T15:30:00Z"),
        ("221530 JUIN 26", "2026-06-22T15:30:00Z"),
        ("221530 JUIL 26", "2026-07-22T15:30:00Z"),  # not June, whose first three letters it has
        ("221530 HEC DÉC 26", "2026-12-22T14:30:00Z"),
        ("01-22-26 1530GMT", "2026-01-22T15:30:00Z"),
        ("321530 GMT JAN 26", None),
        ("221530 GMT XYZ 26", None),
    ],
)
def test_the_dates_of_wires_are_read_in_their_languages(text: str, read: str | None) -> None:
    assert find_wire_date(text, None) == read


@pytest.mark.parametrize(
    ("first", "headline"),
    [
        ("BC-Harbour-Gate,0061", "Harbour gate jams at low tide"),
        ("BC-Harbour-Gate, 1st Ld-Writethru,0061", "Harbour gate jams at low tide"),
        ("Harbour Gate,0061", "Harbour gate jams at low tide"),
    ],
)
def test_a_headline_may_begin_with_the_words_of_the_slug(first: str, headline: str) -> None:
    message = (
        "\x16\x16\x01a0077 \x1f\r\nr i BC-Harbour-Gate 02-03 0061\r\n"
        f"\x02^{first}<\r\n^{headline}<\r\n^By ADA QUILL=<\r\n^Harbour Press Service=<\r\n"
        "   TIDEFORD (HPS) _ The gate of the harbour jammed on Monday.<\r\n\x03HPS-TF-02-03-26 0910GMT\x04"
    )
    (event,) = normalise(RawItem(message.encode(), "2026-02-03T09:12:00Z"), Normalise())
    assert isinstance(event, Event)
    assert event.headline == headline


def alert(words: str, format_: str) -> str:
    if format_ == "nitf":
        return f"<nitf><head><docdata><doc-id id-string='q1'/></docdata></head><body><body.content><p>{words}</p></body.content></body></nitf>"
    return (
        "<newsItem xmlns='http://iptc.org/std/nar/2006-10-01/' guid='urn:q:1' version='1'><contentSet><inlineXML>"
        f"<html xmlns='http://www.w3.org/1999/xhtml'><body><p>{words}</p></body></html></inlineXML></contentSet></newsItem>"
    )


@pytest.mark.parametrize("format_", ["nitf", "newsml-g2"])
@pytest.mark.parametrize(
    ("words", "headline"),
    [
        ("TIDEFORD (HPS) - Harbour gate gives way, two boats adrift, port says.", "Harbour gate gives way, two boats adrift, port says"),
        ("Harbour gate gives way", "Harbour gate gives way"),
        ("Harbour gate gives way. " * 10, "Harbour gate gives way. " * 9 + "Harbour gate gives way"),
        ("Harbour gate gives way. " * 11, ""),
    ],
)  # fmt: skip
def test_an_alert_without_a_headline_has_its_sentence(words: str, headline: str, format_: str) -> None:
    (event,) = normalise(RawItem(alert(words, format_).encode(), "2026-02-03T09:12:00Z"), Normalise())
    assert isinstance(event, Event)
    assert event.headline == headline
