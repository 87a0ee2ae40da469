"""The chains that one kill ends, as one string of a record: the parent, and behind it four words for each other chain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from processors.model.event import KilledChain

_PARTING: Final = "\0"  # no uri has it
_HAS: Final = "="  # before a source, which may be empty


def join_killed(parent: str, also_killed: Sequence[KilledChain]) -> str:
    """A parent and the other chains as a string."""
    words = [
        word
        for killed in also_killed
        for word in (
            killed.story, killed.of, str(killed.sequence), "" if killed.source is None else _HAS + killed.source,
        )
    ]  # fmt: skip
    return _PARTING.join((parent, *words))


def split_killed(joined: str | None) -> tuple[str | None, tuple[KilledChain, ...]]:
    """What was joined; None and nothing where there is no parent."""
    if joined is None:
        return None, ()
    parent, *words = joined.split(_PARTING)
    killed = zip(words[::4], words[1::4], words[2::4], words[3::4], strict=True)
    return parent, tuple(
        KilledChain(story, of, int(sequence), source.removeprefix(_HAS) if source else None)
        for story, of, sequence, source in killed
    )
