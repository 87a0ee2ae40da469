"""The 64-bit keys by which a story is found again (identifiers, the whole text, the headline), and the map of them."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Final

import xxhash

from processors.deduplicate.arrays import Hashes64
from processors.deduplicate.fingerprint import Fingerprint
from processors.model.event import Event
from processors.model.story import Story

# Roles of identifiers and associations, letters only, that name what a story was made from.
LINK_ROLES: Final = frozenset(
    (
        "rewriteof", "evolvedfrom", "derivedfrom", "replaces", "supersedes", "updates", "corrects", "versionof",
        "isversionof", "previousversion", "previous", "predecessor", "basedon", "origin", "original",
    )
)  # fmt: skip
IDENTIFIER_ROLES: Final = frozenset(
    ("guid", "docid", "dukey", "uri", "itemid", "newsitemid", "publicidentifier")
)
# A shorter headline has no keys: "Business briefs" names no story, "Ferry opens again" does.
MIN_HEADLINE_WORDS: Final = 3
# The first words of a headline are a key, too: fewer fit many headlines, more miss one that an advisory shortened.
LEADING_WORDS: Final = 5
WORD_BYTES: Final = 8  # of a hashed word
INITIAL_SLOTS: Final = 1024  # of the map; always a power of two


def hash_key(kind: str, *parts: str) -> int:
    """The key of some strings; `kind` keeps keys of different meanings apart."""
    return xxhash.xxh3_64_intdigest("\0".join((kind, *parts)).encode("utf-8", "surrogatepass"))


def hash_state(event: Event) -> int:
    """A hash of all that makes one version of a story differ from another."""
    story = event.story
    parts = (
        event.headline, event.text, story.pub_status, story.slugline, story.ed_note, story.embargoed_until,
        str(story.urgency),
    )  # fmt: skip
    return hash_key("state", *(part or "" for part in parts))


def alternative_keys(story: Story) -> list[int]:
    """Keys of the publisher's other identifiers of the story, by which later ones may link to it."""
    return [
        hash_key("alt", other.value) for other in story.alt_ids if _letters(other.role) in IDENTIFIER_ROLES
    ]


def linked_identifiers(story: Story) -> list[str]:
    """The identifiers of the stories that this one was made from, as the publisher says."""
    links = [other.value for other in story.alt_ids if _letters(other.role) in LINK_ROLES]
    return links + [other.uri for other in story.associations if _letters(other.rel) in LINK_ROLES]


def content_keys(fingerprint: Fingerprint) -> list[int]:
    """Keys of the whole text and of the headline."""
    return [hash_key("content", str(fingerprint.content)), *headline_keys(fingerprint.title)]


def headline_keys(words: Hashes64) -> list[int]:
    """Keys of a headline: of all its words, and of its first five."""
    if len(words) < MIN_HEADLINE_WORDS:
        return []
    title = words.tobytes()
    parts = dict.fromkeys((title, title[: LEADING_WORDS * WORD_BYTES]))
    return [xxhash.xxh3_64_intdigest(b"headline" + part) for part in parts]


def _letters(role: str | None) -> str:
    return "".join(filter(str.isalpha, role or "")).lower()


class KeyMap:
    """A compact map from 64-bit keys to their newest rows. Rows count from `first`, the oldest that is alive.

    Open addressing in two flat arrays, twelve bytes a slot; a dict of Python integers would take ten times the
    memory. Rows that have left the window are dead: their slots are taken over, and a rebuild drops them.
    """

    __slots__ = ("_keys", "_mask", "_rows", "_used")

    def __init__(self) -> None:
        """Make an empty map."""
        self._clear(INITIAL_SLOTS)

    def find_row(self, key: int, first: int) -> int | None:
        """The row of a key, or None where there is none at or above `first`."""
        keys, rows, mask = self._keys, self._rows, self._mask
        slot = key & mask
        while (row := rows[slot]) and keys[slot] != key:
            slot = (slot + 1) & mask
        return row - 1 if row > first else None

    def set_row(self, new_keys: Sequence[int], row: int, first: int) -> None:
        """Map some keys to `row` from now on."""
        if (
            3 * (self._used + len(new_keys)) >= 2 * self._mask
        ):  # fuller maps search long, emptier ones cost memory
            self._rebuild(first)
        keys, rows, mask = self._keys, self._rows, self._mask
        for key in new_keys:
            slot = key & mask
            while rows[slot] and keys[slot] != key:
                slot = (slot + 1) & mask
            if not rows[slot]:
                self._used += 1
            keys[slot], rows[slot] = key, row + 1

    def _rebuild(self, first: int) -> None:
        alive = [(key, row) for key, row in zip(self._keys, self._rows, strict=True) if row > first]
        slots = INITIAL_SLOTS
        while 3 * len(alive) >= slots:
            slots *= 2
        self._clear(slots)
        keys, rows, mask = self._keys, self._rows, self._mask
        for key, row in alive:
            slot = key & mask
            while rows[slot]:
                slot = (slot + 1) & mask
            keys[slot], rows[slot] = key, row
        self._used = len(alive)

    def _clear(self, slots: int) -> None:
        self._keys = array("Q", bytes(8 * slots))
        self._rows = array("I", bytes(4 * slots))
        self._mask = slots - 1
        self._used = 0
