"""Who and what a story names: its mentions gathered into entities with names, aliases, roles and places."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from processors.model.event import Dateline, Entity, Label, Mention
from processors.places import key_of
from processors.tag.copy import Copy
from processors.tag.found import Found
from processors.tag.geography import countries_of, placed
from processors.tag.lexicon import lexicon
from processors.tag.roles import role_before
from processors.tag.rules.consistency import surname

ALSO: Final = re.compile(
    r",?\s*\(?(?:also|better|formerly|previously|commonly|widely|popularly)?\s*known\s+(?:simply\s+)?as\s+|"
    r",?\s*\(?(?:a\.?k\.?a\.?|alias|né|née|nicknamed|nom de guerre)\s+", re.IGNORECASE,
)  # fmt: skip
BRACKET: Final = re.compile(r"\s*\(\s*[\"“'‘]?$")
SMALL: Final = frozenset(
    {"of", "the", "for", "and", "on", "in", "to", "de", "la", "del", "des", "et", "du", "di", "y", "e"}
)


@dataclass(slots=True)
class Gathered:
    """The mentions of one thing, in order of the text."""

    label: Label
    found: list[Found] = field(default_factory=list)
    names: Counter[str] = field(default_factory=Counter)
    roles: list[str] = field(default_factory=list)
    nicknames: set[str] = field(default_factory=set)  # that the copy itself calls aliases

    def add(self, found: Found, name: str) -> None:
        """Take one more mention."""
        self.found.append(found)
        self.names[name] += 1

    @property
    def name(self) -> str:
        """The fullest form; the most frequent among those as full."""
        proper = [name for name in self.names if name not in self.nicknames] or list(self.names)
        return max(proper, key=lambda name: (len(name.split()), self.names[name], len(name)))


def gather(
    copy: Copy, found: Sequence[Found], dateline: Dateline | None
) -> tuple[tuple[Mention, ...], tuple[Entity, ...]]:
    """The mentions, each with its entity, and the entities in order of their first mention."""
    groups = _grouped(copy, found)
    countries = countries_of([name for group in groups for name in group.names.elements()], dateline)
    ids = {id(group): f"e{number}" for number, group in enumerate(groups, 1)}
    owner = {each: ids[id(group)] for group in groups for each in group.found}
    mentions = tuple(copy.mention(each, owner[each]) for each in found)
    return mentions, tuple(_entity(ids[id(group)], group, countries, dateline) for group in groups)


def _entity(identifier: str, group: Gathered, countries: list[str], dateline: Dateline | None) -> Entity:
    name = group.name
    aliases = tuple(other for other in group.names if other != name)
    place = placed(name, countries, dateline) if group.label == "LOC" else None
    return Entity(identifier, group.label, name, aliases, tuple(dict.fromkeys(group.roles)), place)


def _grouped(copy: Copy, found: Sequence[Found]) -> list[Gathered]:
    groups: list[Gathered] = []
    seen: dict[tuple[Label, str], Gathered] = {}
    previous: tuple[Found, Gathered] | None = None
    for each in found:
        name = " ".join(copy.read[each.start : each.end].split())
        key = (each.label, name.casefold())
        group = _same_by_words(copy, previous, each, name) or seen.get(key) or _known(groups, each, name)
        if group is None:
            group = Gathered(each.label)
            groups.append(group)
        seen[key] = group
        group.add(each, name)
        if each.label == "PER" and (role := role_before(copy.read, each.start)):
            group.roles.append(role)
        previous = (each, group)
    return _joined(groups)


def _same_by_words(
    copy: Copy, previous: tuple[Found, Gathered] | None, each: Found, name: str
) -> Gathered | None:
    """The group of the name before, where the words between say that both are one: "(IAEA)", "also known as"."""
    if previous is None or (previous[0].label != each.label and not name.isupper()):
        return None
    between = copy.read[previous[0].end : each.start]
    if ALSO.fullmatch(between):
        previous[1].nicknames.add(name)
        return previous[1]
    if BRACKET.fullmatch(between) and is_acronym(name, copy.read[previous[0].start : previous[0].end]):
        return previous[1]
    return None


def is_acronym(short: str, name: str) -> bool:
    """Whether the letters of `short` open the words of `name` in order, small words left out or not."""
    letters = [char for char in short.casefold() if char.isalnum()]
    words = [word.casefold() for word in re.split(r"[\s\-]+", name) if word]
    firsts = "".join(word[0] for word in words)
    strict = "".join(word[0] for word in words if word not in SMALL)
    return len(letters) > 1 and "".join(letters) in {firsts, strict}


def _known(groups: Sequence[Gathered], each: Found, name: str) -> Gathered | None:
    """The group that the name belongs to by itself, the latest first."""
    for group in reversed(groups):
        if group.label == each.label and any(_same(each.label, other, name) for other in group.names):
            return group
    return None


def _same(label: Label, known: str, name: str) -> bool:
    """Whether two names in one story mean the same."""
    if known.casefold() == name.casefold():
        return True
    if label == "PER":
        return _same_person(known, name)
    if label == "LOC":
        code = lexicon().countries.get(key_of(known))
        return code is not None and code == lexicon().countries.get(key_of(name))
    if label == "ORG":
        return _same_organisation(known, name)
    code = lexicon().peoples.get(known)
    return code is not None and code == lexicon().peoples.get(name)


def _same_person(known: str, name: str) -> bool:
    """A full name and its surname (with or without the article of an Arabic one); initials of first names fit."""
    if surname(known) != surname(name):
        return False
    first, other = _given(known), _given(name)
    if not first or not other:
        return True
    return first[0] == other[0] or (first[0][:1] == other[0][:1] and min(len(first[0]), len(other[0])) == 1)


def _given(name: str) -> list[str]:
    """The words before a surname and its particles, in lower case."""
    words = [word.strip(".") for word in name.casefold().replace("-", " ").split()]
    return [word for word in words[:-1] if word not in {"al", "el", "ad", "ar", "as", "ash"}]


def _same_organisation(known: str, name: str) -> bool:
    """An acronym, or the same name with a legal form or the like behind it."""
    long, short = (known, name) if len(known) >= len(name) else (name, known)
    if short.isupper() and is_acronym(short, long):
        return True
    return long.casefold().startswith(short.casefold() + " ") and len(short) > 3


def _joined(groups: list[Gathered]) -> list[Gathered]:
    """Groups that only a later, fuller name brings together: "Peskov" before "Dmitry Peskov" in a headline."""
    made: list[Gathered] = []
    for group in groups:
        twin = next((g for g in made if g.label == group.label and _fits(g, group)), None)
        if twin is None:
            made.append(group)
        else:
            twin.found += group.found
            twin.names.update(group.names)
            twin.roles += group.roles
            twin.nicknames |= group.nicknames
    return made


def _fits(one: Gathered, other: Gathered) -> bool:
    return any(_same(one.label, a, b) for a in one.names for b in other.names)
