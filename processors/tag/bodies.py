"""Which names of organisations in a story mean one: a full name, and the shorter ones that it goes by.

Shorter are its beginning (Galewright of Galewright Holdings plc), its first letters (IAEA), a nickname at its end
(the Comets of the Sydney Comets), and the same words in another order (Ministry of Defence, Defence Ministry). Two
full names are never one because both may be shortened to the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from processors.places import key_of
from processors.tag.lexicon import lexicon, name_spellings, small_words

MAX_ACRONYM_CHARS: Final = 3  # a name as short as these begins many others


def bodies_of(names: Iterable[str], tag: str) -> dict[str, str]:
    """Of each name the one that stands for its body: the fullest that it is short for, else itself.

    A short name that fits several is the last of them that stands before it, else the first behind it.
    """
    order: dict[str, int] = {}
    for name in names:
        order.setdefault(name, len(order))
    longer: dict[str, list[str]] = {}
    small = small_words(tag)
    for name in order:
        for short in _short_forms(name, small):
            longer.setdefault(short, []).append(name)
    parents = {name: _parent_of(name, order, longer, small) for name in order}
    return {name: _root_of(name, parents) for name in order}


def _parent_of(
    name: str, order: dict[str, int], longer: dict[str, list[str]], small: frozenset[str]
) -> str | None:
    fits = [
        other
        for form in _as_short_form(name)
        for other in longer.get(form, [])
        if other != name and (len(other.split()), len(other)) > (len(name.split()), len(name))
    ]
    before = [other for other in fits if order[other] < order[name]]
    if before:
        return max(before, key=lambda other: order[other])
    twin = _twin_of(name, order, longer, small)
    return twin or min(fits, key=lambda other: order[other], default=None)


def _twin_of(
    name: str, order: dict[str, int], longer: dict[str, list[str]], small: frozenset[str]
) -> str | None:
    """The earliest name that is the same in other capitals or another order of words."""
    same = [
        other
        for form in _same_forms(name, small)
        for other in longer.get(form, [])
        if order[other] < order[name]
    ]
    return min(same, key=lambda other: order[other], default=None)


def _root_of(name: str, parents: dict[str, str | None]) -> str:
    passed = {name}
    while (parent := parents[name]) is not None and parent not in passed:
        passed.add(parent)
        name = parent
    return name


def acronyms_of(name: str, small: frozenset[str]) -> set[str]:
    """The first letters of a name's words, and those without its small words."""
    words = [word.casefold() for word in re.split(r"[\s\-]+", name) if word]
    strict = "".join(word[0] for word in words if word not in small)
    return {"".join(word[0] for word in words), strict}


def _short_forms(name: str, small: frozenset[str]) -> set[str]:
    """What a name may be shortened to: its acronyms, its beginnings up to a blank, its nickname, the same words."""
    folded = name.casefold()
    beginnings = {folded[:at] for at, char in enumerate(folded) if char == " "}
    return (
        {"=" + letters for letters in acronyms_of(name, small)}
        | beginnings
        | {*_ends(name, small)}
        | _same_forms(name, small)
    )


def _ends(name: str, small: frozenset[str]) -> Iterator[str]:
    """The end of a name that stands for it: a nickname, or what is left without the country before it."""
    first, _, rest = name.partition(" ")
    if rest and (first in lexicon().peoples or key_of(first) in lexicon().countries):
        yield rest.casefold()
    words = name.split()
    if len(words) > 1 and words[-2].casefold() not in small and words[-1] not in lexicon().organisations:
        yield words[-1].casefold()


def _same_forms(name: str, small: frozenset[str]) -> set[str]:
    """A name's words in order of the alphabet, without the small ones, in one spelling."""
    words = sorted(name_spellings().get(word, word) for word in name.casefold().split() if word not in small)
    return {"~" + " ".join(words)}


def _as_short_form(name: str) -> set[str]:
    """What a name is as a short form: an acronym where it is in capitals, a beginning or an end where it is long enough."""
    letters = "".join(char for char in name.casefold() if char.isalnum())
    forms = {"=" + letters} if name.isupper() and len(letters) > 1 else set()
    return forms | ({name.casefold()} if len(name) > MAX_ACRONYM_CHARS else set())
