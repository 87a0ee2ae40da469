"""The versions of a story that an index keeps beside the current one, and how the words of two of them differ.

A version is what a uri said: its number, headline, text and status make its key, so that an event that comes again, late
or in another order is the same version. Of events with one key the one with the greatest revision is kept
(`sinks.stories.revision`), and what is current is kept where it always was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, Literal

from msgspec import structs

from processors.model import Model
from processors.model.event import Event
from processors.sources import content_hash
from sinks.search import Hit, StoredStory, make_hit
from sinks.stories import HiddenReason

ChangeKind = Literal["same", "removed", "added"]
KEY_CHARS: Final = 16
# Earlier versions of one story that are kept and shown. Pollers stop a feed at 24 revisions of an item; a running story of
# an agency has some dozens. More would let one uri that changes with each poll fill the disk.
MAX_KEPT_VERSIONS: Final = 100
# Words of a text that are laid beside each other: what follows is one change. The time grows with the square: 20,000 against
# 20,000 other words take 0.08 s.
MAX_COMPARED_WORDS: Final = 20_000
# Thai, Lao, Burmese, Khmer, kana, ideographs.
_UNSPACED_SCRIPTS: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
# A word, a sign of a script without blanks between words, or any other sign, each with the blanks before it.
_WORD: Final = re.compile(
    rf"\s*(?:[{_UNSPACED_SCRIPTS}][\u0e31\u0e34-\u0e4e]*"
    rf"|[^\W{_UNSPACED_SCRIPTS}]+(?:['’.,:-][^\W{_UNSPACED_SCRIPTS}]+)*|\S)|\s+"
)


class KeptVersion(Hit, frozen=True, kw_only=True):
    """A version of a story in a list. `superseded` is absent for the current one.

    `key` names it among the versions of its uri; `hidden` says that it was killed or corrected.
    """

    key: str
    hidden: HiddenReason | None = None


class Change(Model, frozen=True):
    """A run of words that two texts share, or that only one of them has."""

    kind: ChangeKind
    text: str


class VersionDifference(Model, frozen=True):
    """How two versions of a story differ, by words.

    What is the same or added is, one after the other, the later text; what is the same or removed the earlier one, but
    for blanks. `removed_words` and `added_words` count those of headline and text.
    """

    uri: str
    old: KeptVersion
    new: KeptVersion
    headline: tuple[Change, ...]
    text: tuple[Change, ...]
    removed_words: int
    added_words: int


def version_key(event: Event) -> str:
    """What names a version among those of its uri."""
    story = event.story
    return content_hash(story.version or "", story.pub_status or "usable", event.headline, event.text)[
        :KEY_CHARS
    ]


def make_version(stored: StoredStory, *, superseded: bool) -> KeptVersion:
    """The entry of a version in a list."""
    members = structs.asdict(make_hit(stored.event)) | {"superseded": superseded}
    return KeptVersion(**members, key=version_key(stored.event), hidden=stored.hidden)


def list_versions(stored: Sequence[StoredStory]) -> Iterator[KeptVersion]:
    """The entries of a story's versions, which are given with the current one first."""
    for number, kept in enumerate(stored):
        yield make_version(kept, superseded=number > 0)


def compare_versions(
    stored: Sequence[StoredStory], old: str | None = None, new: str | None = None
) -> VersionDifference | None:
    """How the versions of two keys differ; without a key the current one, and the one before it.

    None where there are no such two. The versions are given newest first.
    """
    keys = [version_key(kept.event) for kept in stored]
    try:
        later = keys.index(new) if new else 0
        earlier = keys.index(old) if old else later + 1
        pair = stored[earlier], stored[later]
    except (ValueError, IndexError):
        return None
    return compare_pair(*pair, is_old_superseded=earlier > 0, is_new_superseded=later > 0)


def compare_pair(
    old: StoredStory, new: StoredStory, *, is_old_superseded: bool, is_new_superseded: bool
) -> VersionDifference:
    """How two stories differ: versions of one, or members of one chain."""
    pair = old, new
    headline, text = (
        tuple(find_changes(*(getattr(kept.event, part) for kept in pair))) for part in ("headline", "text")
    )
    counts = {
        kind: sum(len(_split_words(change.text)) for change in (*headline, *text) if change.kind == kind)
        for kind in ("removed", "added")
    }
    return VersionDifference(
        new.event.story.uri,
        make_version(old, superseded=is_old_superseded),
        make_version(new, superseded=is_new_superseded),
        headline,
        text,
        counts["removed"],
        counts["added"],
    )


def find_changes(old: str, new: str) -> Iterator[Change]:
    """The runs of words that two texts share, and those that only one has, in order."""
    from rapidfuzz.distance import Levenshtein

    if old == new:
        if new:
            yield Change("same", new)
        return
    words = [_split_words(text) for text in (old, new)]
    compared = [[word.strip() for word in text[:MAX_COMPARED_WORDS]] for text in words]
    removed = added = ""
    for step in Levenshtein.opcodes(*compared):
        earlier = "".join(words[0][step.src_start : step.src_end])
        later = "".join(words[1][step.dest_start : step.dest_end])
        if step.tag == "equal":
            yield from _replaced(removed, added)
            yield Change("same", later)
            removed = added = ""
        else:
            removed, added = removed + earlier, added + later
    yield from _replaced(
        *(run + "".join(text[MAX_COMPARED_WORDS:]) for run, text in zip((removed, added), words, strict=True))
    )


def _replaced(removed: str, added: str) -> Iterator[Change]:
    if removed:
        yield Change("removed", removed)
    if added:
        yield Change("added", added)


def _split_words(text: str) -> list[str]:
    return _WORD.findall(text)
