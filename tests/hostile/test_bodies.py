"""What a reader may show as markup holds nothing active, whatever the format and wherever in it the markup stood."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

import pytest

from config.settings import Normalise
from processors.errors import Rejected
from processors.model.event import Event, RawItem
from processors.model.story import Story, Text
from processors.normalise import normalise
from tests.hostile.containers import all_containers

SETTINGS = Normalise(languages=("en",), feed_markup=True)
ACTIVE_ELEMENTS = {"script", "iframe", "object", "embed", "form", "style", "svg"}
HOSTILE = (
    '<p onclick="steal()">The ferry sank.</p><script>steal()</script><a href="javascript:steal()">More</a>'
    '<iframe src="https://evil.example/"></iframe><img src="https://evil.example/a.gif" width="1" height="1">'
)
KINDS = tuple(
    dict.fromkeys(container.kind for container in all_containers() if container.kind != "html")
)  # a page is no story


class ActiveParts(HTMLParser):
    """Collects what a browser would run of a piece of HTML."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.parts += [tag] if tag in ACTIVE_ELEMENTS else []
        for name, value in attrs:
            runs = (value or "").strip().lower().startswith("javascript:")
            if name.startswith("on") or runs or (tag, name, value) == ("img", "width", "1"):
                self.parts.append(f"{tag} {name}")


def shown_texts(story: Story) -> Iterator[Text]:
    """The texts of a story and of what belongs to it that are not called plain."""
    for text in (*story.headlines, *story.descriptions, *story.bodies):
        if not (text.content_type or "").startswith("text/plain"):
            yield text
    for association in story.associations:
        yield from shown_texts(association)


def stories_of(document: bytes) -> list[Story]:
    try:
        outcomes = normalise(RawItem(document, "2026-01-22T16:00:00Z"), SETTINGS)
    except Rejected:
        return []
    return [event.story for event in outcomes if isinstance(event, Event)]


@pytest.mark.parametrize("kind", KINDS)
def test_no_format_lets_active_markup_through(kind: str) -> None:
    stories = [
        story
        for container in all_containers()
        if container.kind == kind
        for story in stories_of(container.wrap(HOSTILE))
    ]
    assert stories
    for story in stories:
        for text in shown_texts(story):
            assert ActiveParts(text.value).parts == []


NINJS = {
    "ninjs 3": '"bodies":[{"role":"main","contentType":"text/html","value":%s}]',
    "beside plain words": '"bodies":[{"role":"main","contentType":"text/plain","value":"The ferry sank."},{"contentType":"text/html","value":%s}]',
    "XHTML": '"bodies":[{"role":"main","contentType":"application/xhtml+xml","value":%s}]',
    "another role": '"bodies":[{"role":"html","value":%s}]',
    "no content type": '"bodies":[{"value":%s}]',
    "an odd content type": '"bodies":[{"contentType":"text/plain","value":"The ferry sank."},{"contentType":"text/x-mine","value":%s}]',
    "descriptions": '"bodies":[{"value":"The ferry sank."}],"descriptions":[{"role":"summary","contentType":"text/html","value":%s}]',
    "headlines": '"headlines":[{"role":"main","value":"Ferry"},{"role":"web","contentType":"text/html","value":%s}]',
    "ninjs 1": '"body_html":%s,"versioncreated":"2026-01-22T16:00:00Z"',
    "ninjs 1, XHTML": '"body_xhtml":%s,"versioncreated":"2026-01-22T16:00:00Z"',
    "ninjs 1, description": '"description_html":%s,"body_text":"The ferry sank.","versioncreated":"2026-01-22T16:00:00Z"',
    "an association": '"bodies":[{"value":"The ferry sank."}],"associations":[{"uri":"urn:x:2","bodies":[{"contentType":"text/html","value":%s}]}]',
}  # fmt: skip


@pytest.mark.parametrize("members", NINJS.values(), ids=NINJS)
def test_markup_of_ninjs_is_as_safe_as_that_of_other_formats(members: str) -> None:
    quoted = '"' + HOSTILE.replace('"', '\\"') + '"'
    (story,) = stories_of(('{"uri":"urn:x:1","type":"text",' + members.replace("%s", quoted) + "}").encode())
    shown = [text for text in shown_texts(story) if "sank" in text.value and "<" in text.value]
    assert shown
    assert all(text.value.startswith("<p>The ferry sank.</p>") for text in shown)
    assert not any(ActiveParts(text.value).parts for text in shown_texts(story))
