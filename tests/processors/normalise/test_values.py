"""Single values: what is a URI, and what a browser would run."""

from __future__ import annotations

import pytest

from processors.normalise.values import uri_or_none, web_address


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
