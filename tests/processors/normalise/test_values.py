"""Single values: what is a URI, and what a browser would run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.normalise.values import language_tag, timestamp, uri_or_none, web_address
from processors.sources import made_uri


@pytest.mark.parametrize(
    "sent", ["javascript:alert(1)", " JavaScript:alert(1)", "vbscript:x", "data:text/html,x"]
)
def test_a_script_is_neither_link_nor_identifier(sent: str) -> None:
    assert web_address(sent, "https://a.example/feed") is None
    assert uri_or_none(sent) is None


@pytest.mark.parametrize(
    ("sent", "link"),
    [
        ("https://a.example/ä", "https://a.example/%C3%A4"),
        ("/news/1", "https://a.example/news/1"),
        ("  https://b.example/x ", "https://b.example/x"),
    ],
)
def test_links_become_whole_uris(sent: str, link: str) -> None:
    assert web_address(sent, "https://a.example/feed") == link


def test_an_identifier_that_is_a_uri_stays_as_sent() -> None:
    assert uri_or_none(" tag:a.example,2026:1 ") == "tag:a.example,2026:1"


@pytest.mark.parametrize(
    "sent",
    [
        "Thu, 22 Jan 2026 15:30:00 GMT", "Thu, 22 Jan 2026 16:30:00 +0100", "Thu, 22 Jan 2026 16:30:00 +01:00", "22 Jan 2026 16:30 CET",
        "Thurs, 22 January 2026 10:30 AM EST", "Thu, 22 Jan 26 15:30:00 Z", "Thu Jan 22 15:30:00 2026", "22.01.2026 15:30",
        "jeu., 22 janv. 2026 16:30:00 +0100", "22 de enero de 2026 15:30", "Donnerstag, 22. Januar 2026, 15:30", "January 22nd, 2026 3:30 p.m.",
        "Thursday, January 22, 2026 - 15:30", "2026-01-22 15:30:00 UTC", "2026-01-22T16:30:00+01:00[Europe/Paris]", "20260122153000",
        "20260122T163000+0100", "2026-01-22t15:30:00z", "2026-01-22T15:30Z", "Thu, 22 Jan 2026 15:30:00 -0000", "2026-01-22 3:30 PM",
        "Thu, 22-Jan-2026 15:30:00 GMT (so it is)",
    ],
)  # fmt: skip
def test_a_date_in_any_plain_form_is_read(sent: str) -> None:
    assert timestamp(f" {sent} ") == "2026-01-22T15:30:00Z"


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("22 Jan 2026", "2026-01-22T00:00:00Z"),
        ("January 22, 2026", "2026-01-22T00:00:00Z"),
        ("Thu, 22 Jan 2026 24:00:00 GMT", "2026-01-23T00:00:00Z"),
        ("22 Jan 2026 12:05 am", "2026-01-22T00:05:00Z"),
        ("22 juillet 2026 à 12h05", "2026-07-22T12:05:00Z"),
    ],
)
def test_a_date_has_its_day_and_hour(sent: str, read: str) -> None:
    assert timestamp(sent) == read


@pytest.mark.parametrize(
    "sent",
    [
        "Thu, 22 Jan 2026 15:30:00 NOWHERE", "01/02/2026", "2026-13-45", "30 Feb 2026", "1769099400", "yesterday", "Thu, 22 Jan 2026 13:30 PM", "22 Foo 2026",
        "22 Jan 2026 25:00", "", "0001-01-01T00:00:00Z", "22 Jan", "Jan 2026", "22 Jan 2026" + " " * 5000 + "x",
    ],
)  # fmt: skip
def test_what_reads_in_two_ways_or_in_none_is_no_date(sent: str) -> None:
    assert timestamp(sent) is None


@pytest.mark.parametrize(("zone", "read"), [("America/New_York", "20:30"), (None, "15:30")])
def test_a_date_without_a_zone_takes_the_one_of_its_feed(zone: str | None, read: str) -> None:
    assert timestamp("22 Jan 2026 15:30", zone) == f"2026-01-22T{read}:00Z"


@given(
    st.from_regex(
        r"[A-Za-z]{0,5},? ?\d{1,2}[ .-](\w{1,9}|\d\d)[ .-]\d{2,4}[ T]?\d{0,2}:?\d{0,2} ?([ap]m|[A-Z]{3}|[+-]\d{4})?"
    )
)
def test_any_date_reads_as_one_or_none(sent: str) -> None:
    read = timestamp(sent)
    assert read is None or timestamp(read) == read


@pytest.mark.parametrize(
    ("sent", "expected"),
    [("EN_us", "en-US"), ("zh-hant-tw", "zh-Hant-TW"), ("deu", "deu"), ("x", None), ("", None), ("en us", None), ("de-1996", "de-1996")],
)  # fmt: skip
def test_language_tags_are_canonical(sent: str, expected: str | None) -> None:
    assert language_tag(sent) == expected


def test_identifiers_that_are_no_uri_are_made_one() -> None:
    assert uri_or_none(" https://a.example/b?c#d ") == "https://a.example/b?c#d"
    assert uri_or_none("https://a.example:port/") is None
    assert made_uri("guid", "NNA", "a b/ü") == "urn:wiredesk:guid:NNA:a%20b%2F%C3%BC"
    assert uri_or_none(made_uri("guid", None, "x" * 5000)) is not None
