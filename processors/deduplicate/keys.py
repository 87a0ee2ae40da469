"""The 64-bit keys by which a story is found again: identifiers, the whole text, the headline."""

from __future__ import annotations

from typing import Final

import xxhash

from processors.deduplicate.fingerprint import Fingerprint
from processors.deduplicate.words import Words64
from processors.model.event import Event
from processors.model.story import Story

LINKS: Final = frozenset(
    (
        "rewriteof",
        "evolvedfrom",
        "derivedfrom",
        "replaces",
        "supersedes",
        "updates",
        "corrects",
        "versionof",
        "isversionof",
        "previousversion",
        "previous",
        "predecessor",
        "basedon",
        "origin",
        "original",
    )
)  # fmt: skip -- roles of identifiers and associations, letters only, that name what a story was made from
IDENTIFIERS: Final = frozenset(("guid", "docid", "dukey", "uri", "itemid", "newsitemid", "publicidentifier"))


def key(kind: str, *parts: str) -> int:
    """The key of some strings; `kind` keeps keys of different meanings apart."""
    return xxhash.xxh3_64_intdigest("\0".join((kind, *parts)).encode("utf-8", "surrogatepass"))


def state_of(event: Event) -> int:
    """A hash of all that makes one version of a story differ from another."""
    story = event.story
    told = (
        event.headline, event.text, story.pub_status, story.slugline, story.ed_note, story.embargoed_until,
        str(story.urgency),
    )  # fmt: skip
    return key("state", *(part or "" for part in told))


def other_identifiers(story: Story) -> list[int]:
    """Keys of the publisher's other identifiers of the story, by which later ones may link to it."""
    return [key("alt", told.value) for told in story.alt_ids if _role(told.role) in IDENTIFIERS]


def links(story: Story) -> list[str]:
    """The identifiers of the stories that the publisher says this one was made from."""
    told = [other.value for other in story.alt_ids if _role(other.role) in LINKS]
    return told + [other.uri for other in story.associations if _role(other.rel) in LINKS]


def _role(role: str | None) -> str:
    return "".join(filter(str.isalpha, role or "")).lower()


def content_keys(made: Fingerprint) -> list[int]:
    """Keys of the whole text and of the headline."""
    return [key("content", str(made.content)), *headline_keys(made.title)]


def headline_keys(words: Words64) -> list[int]:
    """Keys of a headline: of all its words, and of its first five."""
    if len(words) < 3:
        return []
    told = words.tobytes()
    return [xxhash.xxh3_64_intdigest(b"headline" + each) for each in {told: None, told[:40]: None}]
