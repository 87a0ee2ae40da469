"""The 64-bit keys by which a story is found again (identifiers, the whole text, the headline), and the map of them."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Sequence
from typing import Final

import xxhash
from msgspec.structs import replace

from processors.deduplicate.arrays import Hashes64
from processors.deduplicate.fingerprint import Fingerprint
from processors.model.codec import encode
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
_WORD: Final = re.compile(r"[^\W_]+")
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
    return hash_key("state", *[part or "" for part in parts])


def saying_key(story: Story, state: int) -> int:
    """The key of all that a story says, `state` and metadata, but for its version, its times and other forms of its text."""
    said = replace(
        story, version=None, first_created=None, version_created=None, content_created=None, bodies=(), headlines=()
    )  # fmt: skip
    try:
        encoded = encode(said)
    except UnicodeEncodeError:  # half a character; such a story is no message
        encoded = repr(said).encode("utf-8", "surrogatepass")
    return xxhash.xxh3_64_intdigest(b"saying\0%d\0%b" % (state, encoded))


def alternative_keys(story: Story, authority: str) -> list[int]:
    """Keys of the publisher's other identifiers of the story, by which later ones of the same authority may link to it."""
    return [
        alternative_key(other.value, authority)
        for other in story.alt_ids
        if _letters(other.role) in IDENTIFIER_ROLES
    ]


def alternative_key(identifier: str, authority: str) -> int:
    """The key of another identifier of a story."""
    return hash_key("alt", *_names(authority), identifier)


def linked_identifiers(story: Story) -> list[str]:
    """The identifiers of the stories that this one was made from, as the publisher says."""
    links = [other.value for other in story.alt_ids if _letters(other.role) in LINK_ROLES]
    return links + [other.uri for other in story.associations if _letters(other.rel) in LINK_ROLES]


def content_key(fingerprint: Fingerprint) -> int:
    """The key of the whole text."""
    return hash_key("content", str(fingerprint.content))


def headline_keys(words: Hashes64, *sender: str) -> list[int]:
    """Keys of a headline: of all its words, and of its first five.

    Each sender has keys of its own: a notice names a story of its own agency, which no copy by another may hide.
    """
    if len(words) < MIN_HEADLINE_WORDS:
        return []
    title = words.tobytes()
    parts = dict.fromkeys((title, title[: LEADING_WORDS * WORD_BYTES]))
    kind = "\0".join(("headline", *_names(*sender))).encode("utf-8", "surrogatepass")
    return [xxhash.xxh3_64_intdigest(kind + part) for part in parts]


def lead_key(words: Hashes64, *sender: str) -> int | None:
    """The key of a headline's first words, by which a notice that shortened it finds it; None for a shorter one."""
    if len(words) < MIN_HEADLINE_WORDS:
        return None
    kind = "\0".join(("lead", *_names(*sender))).encode("utf-8", "surrogatepass")
    return xxhash.xxh3_64_intdigest(kind + words[:MIN_HEADLINE_WORDS].tobytes())


def title_key(title: str, *sender: str) -> int | None:
    """The key of all words of a title that is not the headline: the subject of a mail."""
    words = _WORD.findall(title.casefold())
    return hash_key("title", *sender, *words) if len(words) >= MIN_HEADLINE_WORDS else None


def _names(*sender: str) -> tuple[str, ...]:
    """What a sender adds to a key: one without a name is as version 0.1 had it, whose records are restored."""
    return sender if any(sender) else ()


def _letters(role: str | None) -> str:
    return "".join(filter(str.isalpha, role or "")).lower()


class KeyMap:
    """A compact map from 64-bit keys to the newest places that have them, which are numbers of up to 63 bits.

    Open addressing in two flat arrays, sixteen bytes a slot; a dict of Python integers would take eight times the
    memory. Places that are no longer alive are not found, and a rebuild drops them.
    """

    __slots__ = ("_is_alive", "_keys", "_mask", "_places", "_used")

    def __init__(self, is_alive: Callable[[int], bool]) -> None:
        """Make an empty map. A place that is no longer alive never comes to life again."""
        self._is_alive = is_alive
        self._clear(INITIAL_SLOTS)

    def find_place(self, key: int) -> int | None:
        """The place of a key, or None where there is none that is alive."""
        keys, places, mask = self._keys, self._places, self._mask
        slot = key & mask
        while (place := places[slot]) and keys[slot] != key:
            slot = (slot + 1) & mask
        return place - 1 if place and self._is_alive(place - 1) else None

    def set_place(self, new_keys: Sequence[int], place: int) -> None:
        """Map some keys to `place` from now on."""
        # Fuller maps search long, emptier ones cost memory.
        if 3 * (self._used + len(new_keys)) >= 2 * self._mask:
            self._rebuild()
        keys, places, mask = self._keys, self._places, self._mask
        for key in new_keys:
            slot = key & mask
            while places[slot] and keys[slot] != key:
                slot = (slot + 1) & mask
            if not places[slot]:
                self._used += 1
            keys[slot], places[slot] = key, place + 1

    def _rebuild(self) -> None:
        is_alive = self._is_alive
        alive = [
            (key, place)
            for key, place in zip(self._keys, self._places, strict=True)
            if place and is_alive(place - 1)
        ]
        slots = INITIAL_SLOTS
        while 3 * len(alive) >= slots:
            slots *= 2
        self._clear(slots)
        keys, places, mask = self._keys, self._places, self._mask
        for key, place in alive:
            slot = key & mask
            while places[slot]:
                slot = (slot + 1) & mask
            keys[slot], places[slot] = key, place
        self._used = len(alive)

    def _clear(self, slots: int) -> None:
        self._keys = array("Q", bytes(8 * slots))
        self._places = array("Q", bytes(8 * slots))
        self._mask = slots - 1
        self._used = 0
