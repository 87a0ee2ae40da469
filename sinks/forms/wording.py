"""What every form says of a story in the same way: its headline, its text as HTML, its times and addresses."""

from __future__ import annotations

import re
from html import escape
from typing import Final

from processors.media_topics import topic_uri
from processors.model.event import Event
from processors.model.story import Text
from sinks.search import shown_headline

PLAIN_TYPE: Final = "text/plain"
HTML_TYPE: Final = "text/html"
# Characters that XML 1.0 has no way to write (section 2.2); a headline may hold one that came in a reference.
_ILLEGAL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_BLANK_LINES: Final = re.compile(r"\n[ \t]*\n\s*")
_ABSOLUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s]+")


def legal_text(text: str) -> str:
    """The text without characters that XML can't hold."""
    return _ILLEGAL.sub("", text)


def headline_of(event: Event) -> str:
    """The headline; where there is none, the first sentence."""
    return shown_headline(event)


def summary_of(event: Event) -> str | None:
    """The publisher's own summary."""
    return next((text.value for text in event.story.descriptions if text.role in {"summary", None}), None)


def html_of(event: Event) -> str:
    """The body as HTML: the publisher's own where it was kept, else a paragraph for each of the text's."""
    kept = next(
        (body.value for body in event.story.bodies if body.content_type == HTML_TYPE and is_main(body)), None
    )
    return kept or paragraphs_of(event.text)


def paragraphs_of(text: str) -> str:
    """Plain text as HTML, a ``p`` for what blank lines part."""
    parts = (part for part in _BLANK_LINES.split(text.strip()) if part)
    return "\n".join(f"<p>{escape(part, quote=False)}</p>" for part in parts)


def bodies_of(event: Event) -> tuple[Text, ...]:
    """The story's bodies; the text, where the main one is not among them."""
    bodies = event.story.bodies
    is_there = any(is_main(body) and is_plain(body) for body in bodies)
    if not event.text or is_there:
        return bodies
    return (Text(event.text, "main", PLAIN_TYPE), *bodies)


def is_main(text: Text) -> bool:
    """Whether a text is the story's own one of its kind, and no teaser or short form of it."""
    return text.role in {"main", None}


def is_plain(text: Text) -> bool:
    """Whether a text is plain; one that doesn't say is."""
    return (text.content_type or PLAIN_TYPE) == PLAIN_TYPE


def headlines_of(event: Event) -> tuple[Text, ...]:
    """The story's headlines; the event's own, where none of them is the main one."""
    headlines = event.story.headlines
    if not event.headline or any(text.role == "main" for text in headlines):
        return headlines
    return (Text(event.headline, "main", PLAIN_TYPE), *headlines)


def published_at(event: Event) -> str | None:
    """When the story was first published, else when it came."""
    story = event.story
    return story.first_created or story.version_created or received_at(event)


def modified_at(event: Event) -> str | None:
    """When this version was published, else when it came."""
    return event.story.version_created or event.story.first_created or received_at(event)


def received_at(event: Event) -> str | None:
    """When the item came."""
    return event.provenance.received if event.provenance else None


def whole_seconds(timestamp: str | None) -> str | None:
    """A timestamp without fractions of a second, which some readers of older standards refuse."""
    return None if timestamp is None else re.sub(r"\.\d+", "", timestamp)


def is_uri(text: str | None) -> bool:
    """Whether the text is an absolute URI."""
    return text is not None and _ABSOLUTE.fullmatch(text) is not None


def page_of(event: Event) -> str | None:
    """The story's own web page."""
    return next((id_.value for id_ in event.story.alt_ids if id_.role == "link" and is_uri(id_.value)), None)


def creators_of(event: Event) -> list[str]:
    """Who wrote it: the byline, without "By"."""
    by = (event.story.by or "").strip()
    return [by[3:].strip() if by[:3].lower() == "by " else by] if by else []


def categories_of(event: Event) -> list[tuple[str, str]]:
    """The Media Topics of the story: URI and name."""
    return [(topic_uri(topic.code), topic.name) for topic in event.topics or ()]
