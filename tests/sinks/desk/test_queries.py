"""What the desk answers to the query language: the list of what fits, or what is wrong and where."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from lxml.html import HtmlElement, document_fromstring

from sinks.query import FIELDS, RULES
from tests.sinks.conftest import Shelf
from tests.sinks.desk.conftest import Client
from tests.sinks.events import event


def read(text: str) -> HtmlElement:
    element = document_fromstring(text)
    assert isinstance(element, HtmlElement)
    return element


async def test_a_field_finds_what_it_says(desk: Client, shelf: Shelf) -> None:
    shelf.put(
        event("urn:a", headline="Ferry sinks", feed="samples"),
        event("urn:b", headline="Copper", language="es"),
    )
    for text, expected in (
        ("ferry OR copper", ["urn:a", "urn:b"]), ("headline:ferry", ["urn:a"]), ("feed:samples", ["urn:a"]),
        ("lang:es", ["urn:b"]), ("-ferry", ["urn:b"]), ("ferry lang:es", []),
    ):  # fmt: skip
        answer = await (await desk.get("/api/stories", params={"q": text})).json()
        assert sorted(story["uri"] for story in answer["stories"]) == expected, text


@pytest.mark.parametrize("path", ["/api/stories", "/api/stream", "/api/clusters"])
async def test_a_broken_query_is_refused_with_its_place(desk: Client, path: str) -> None:
    answer = await desk.get(path, params={"q": "ferry headlin:x"})
    error = (await answer.json())["error"]
    assert (answer.status, error["type"]) == (400, "QueryError")
    assert (error["start"], error["length"]) == (6, 7)
    assert "did you mean headline" in error["hint"]
    assert error["hint"] in error["message"]


async def test_a_query_of_ten_thousand_terms_is_refused_at_once(desk: Client) -> None:
    for text in (" ".join(["a1"] * 1300), "a " * 1999, "(" * 1000):
        assert (await desk.get(f"/api/stories?q={quote(text)}")).status == 400


async def test_the_page_says_below_the_box_what_is_wrong(desk: Client) -> None:
    answer = await desk.get("/", params={"q": "ferry <b>:x OR"})
    shown = read(await answer.text())
    assert answer.status == 400
    (box,), (line,) = shown.cssselect("#q"), shown.cssselect("#problem")
    assert (box.get("value"), box.get("aria-describedby")) == ("ferry <b>:x OR", "problem")
    assert "OR needs something on both sides" in line.text_content()
    assert [mark.text for mark in shown.cssselect(".typed mark")] == ["OR"]


async def test_the_explanation_has_every_rule_and_field(desk: Client) -> None:
    answer = await desk.get("/searching")
    shown = read(await answer.text())
    examples = [link.text_content() for link in shown.cssselect(".searching a")]
    assert examples == [*(example for example, _ in RULES), *(field.example for field in FIELDS)]
    for link in shown.cssselect(".searching a"):
        assert (await desk.get(link.get("href") or "")).status == 200, link.get("href")
