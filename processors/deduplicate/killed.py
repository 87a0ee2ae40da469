"""The chains that one kill ends, as one string of a record: the parent, and behind it three words for each other chain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from processors.model.event import KilledChain

_PARTING: Final = "\0"  # no uri has it


def join_killed(parent: str, also_killed: Sequence[KilledChain]) -> str:
    """A parent and the other chains as a string."""
    words = [word for killed in also_killed for word in (killed.story, killed.of, str(killed.sequence))]
    return _PARTING.join((parent, *words))


def split_killed(joined: str | None) -> tuple[str | None, tuple[KilledChain, ...]]:
    """What was joined; None and nothing where there is no parent."""
    if joined is None:
        return None, ()
    parent, *words = joined.split(_PARTING)
    killed = zip(words[::3], words[1::3], words[2::3], strict=True)
    return parent, tuple(KilledChain(story, of, int(sequence)) for story, of, sequence in killed)
