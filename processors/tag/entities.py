"""Who and what a story names: its mentions gathered into entities with names, aliases, roles and places."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from processors.model.event import Dateline, Entity, Label, Mention, Place
from processors.places import candidates, find_place, key_of
from processors.tag.copy import Copy, NameSpan
from processors.tag.lexicon import lexicon
from processors.tag.rules.agreement import surname

ALIAS_CUE: Final = re.compile(
    r",?\s*\(?(?:also|better|formerly|previously|commonly|widely|popularly)?\s*known\s+(?:simply\s+)?as\s+|"
    r",?\s*\(?(?:a\.?k\.?a\.?|alias|né|née|nicknamed|nom de guerre)\s+", re.IGNORECASE,
)  # fmt: skip
ACRONYM_BRACKET: Final = re.compile(r"\s*\(\s*[\"“'‘]?$")
ACRONYM_SKIPS: Final = frozenset(
    {"of", "the", "for", "and", "on", "in", "to", "de", "la", "del", "des", "et", "du", "di", "y", "e"}
)


WORDS_BEFORE: Final = re.compile(r"(?:[^\W_][\w.&'’-]* +){1,8}$")
MAX_ROLE_CHARS: Final = 90  # before a name in which its role stands; longer ones run into the clause before
MILITARY_TITLES: Final = frozenset(
    {"sen", "rep", "gov", "gen", "col", "maj", "lt", "capt", "sgt", "ministry"}
)
MIN_NAMESAKE_SHARE: Final = (
    0.015  # of the largest namesake's people; less, and a village of the country wins over Paris
)


@dataclass(slots=True)
class _MentionGroup:
    """The mentions of one entity, in order of the text."""

    label: Label
    spans: list[NameSpan] = field(default_factory=list)
    names: Counter[str] = field(default_factory=Counter)
    roles: list[str] = field(default_factory=list)
    nicknames: set[str] = field(default_factory=set)  # that the copy itself calls aliases

    def add(self, span: NameSpan, name: str) -> None:
        """Add a mention."""
        self.spans.append(span)
        self.names[name] += 1

    @property
    def name(self) -> str:
        """The fullest form; the most frequent among those as full."""
        proper = [name for name in self.names if name not in self.nicknames] or list(self.names)
        return max(proper, key=lambda name: (len(name.split()), self.names[name], len(name)))


def gather_entities(
    copy: Copy, names: Sequence[NameSpan], dateline: Dateline | None
) -> tuple[tuple[Mention, ...], tuple[Entity, ...]]:
    """The mentions, each with its entity, and the entities in order of their first mention."""
    groups = _group_mentions(copy, names)
    countries = countries_of([name for group in groups for name in group.names.elements()], dateline)
    ids = {id(group): f"e{number}" for number, group in enumerate(groups, 1)}
    owner = {span: ids[id(group)] for group in groups for span in group.spans}
    mentions = tuple(copy.mention(name, owner[name]) for name in names)
    return mentions, tuple(_entity(ids[id(group)], group, countries, dateline) for group in groups)


def _entity(identifier: str, group: _MentionGroup, countries: list[str], dateline: Dateline | None) -> Entity:
    name = group.name
    aliases = tuple(other for other in group.names if other != name)
    place = place_of(name, countries, dateline) if group.label == "LOC" else None
    return Entity(identifier, group.label, name, aliases, tuple(dict.fromkeys(group.roles)), place)


def _group_mentions(copy: Copy, names: Sequence[NameSpan]) -> list[_MentionGroup]:
    groups: list[_MentionGroup] = []
    seen: dict[tuple[Label, str], _MentionGroup] = {}
    previous: tuple[NameSpan, _MentionGroup] | None = None
    for span in names:
        name = " ".join(copy.read[span.start : span.end].split())
        key = (span.label, name.casefold())
        group = (
            _group_by_words_between(copy, previous, span, name)
            or seen.get(key)
            or _group_by_name(groups, span, name)
        )
        if group is None:
            group = _MentionGroup(span.label)
            groups.append(group)
        seen[key] = group
        group.add(span, name)
        if span.label == "PER" and (role := role_before(copy.read, span.start)):
            group.roles.append(role)
        previous = (span, group)
    return _join_groups(groups)


def _group_by_words_between(
    copy: Copy, previous: tuple[NameSpan, _MentionGroup] | None, span: NameSpan, name: str
) -> _MentionGroup | None:
    """The group of the name before, where the words between say that both are one: "(IAEA)", "also known as"."""
    if previous is None or (previous[0].label != span.label and not name.isupper()):
        return None
    between = copy.read[previous[0].end : span.start]
    if ALIAS_CUE.fullmatch(between):
        previous[1].nicknames.add(name)
        return previous[1]
    if ACRONYM_BRACKET.fullmatch(between) and is_acronym(
        name, copy.read[previous[0].start : previous[0].end]
    ):
        return previous[1]
    return None


def is_acronym(short: str, name: str) -> bool:
    """Whether the letters of `short` open the words of `name` in order, small words left out or not."""
    letters = [char for char in short.casefold() if char.isalnum()]
    words = [word.casefold() for word in re.split(r"[\s\-]+", name) if word]
    firsts = "".join(word[0] for word in words)
    strict = "".join(word[0] for word in words if word not in ACRONYM_SKIPS)
    return len(letters) > 1 and "".join(letters) in {firsts, strict}


def _group_by_name(groups: Sequence[_MentionGroup], span: NameSpan, name: str) -> _MentionGroup | None:
    """The group that the name belongs to by itself, the latest first."""
    for group in reversed(groups):
        if group.label == span.label and any(_is_same(span.label, other, name) for other in group.names):
            return group
    return None


def _is_same(label: Label, earlier: str, name: str) -> bool:
    """Whether two names in one story mean the same."""
    if earlier.casefold() == name.casefold():
        return True
    if label == "PER":
        return _is_same_person(earlier, name)
    if label == "LOC":
        code = lexicon().countries.get(key_of(earlier))
        return code is not None and code == lexicon().countries.get(key_of(name))
    if label == "ORG":
        return _is_same_organisation(earlier, name)
    code = lexicon().peoples.get(earlier)
    return code is not None and code == lexicon().peoples.get(name)


def _is_same_person(earlier: str, name: str) -> bool:
    """A full name and its surname (with or without the article of an Arabic one); initials of first names fit."""
    if surname(earlier) != surname(name):
        return False
    first, other = _given_names(earlier), _given_names(name)
    if not first or not other:
        return True
    return first[0] == other[0] or (first[0][:1] == other[0][:1] and min(len(first[0]), len(other[0])) == 1)


def _given_names(name: str) -> list[str]:
    """The words before a surname and its particles, in lower case."""
    words = [word.strip(".") for word in name.casefold().replace("-", " ").split()]
    return [word for word in words[:-1] if word not in {"al", "el", "ad", "ar", "as", "ash"}]


def _is_same_organisation(earlier: str, name: str) -> bool:
    """An acronym, or the same name with a legal form or the like behind it."""
    long, short = (earlier, name) if len(earlier) >= len(name) else (name, earlier)
    if short.isupper() and is_acronym(short, long):
        return True
    return long.casefold().startswith(short.casefold() + " ") and len(short) > 3


def _join_groups(groups: list[_MentionGroup]) -> list[_MentionGroup]:
    """Groups that only a later, fuller name brings together: "Peskov" before "Dmitry Peskov" in a headline."""
    joined: list[_MentionGroup] = []
    for group in groups:
        twin = next((g for g in joined if g.label == group.label and _is_one_entity(g, group)), None)
        if twin is None:
            joined.append(group)
        else:
            twin.spans += group.spans
            twin.names.update(group.names)
            twin.roles += group.roles
            twin.nicknames |= group.nicknames
    return joined


def _is_one_entity(one: _MentionGroup, other: _MentionGroup) -> bool:
    return any(_is_same(one.label, a, b) for a in one.names for b in other.names)


def role_before(text: str, start: int) -> str | None:
    """The role that ends where a name starts; None where the words before it are none."""
    before = WORDS_BEFORE.search(text, max(0, start - MAX_ROLE_CHARS), start)
    if before is None:
        return None
    words = before.group().split()
    if _bare_word(words[-1]) not in lexicon().roles and _bare_word(words[-1]) not in MILITARY_TITLES:
        return None
    first = len(words) - 1
    while first and _is_role_word(words[first - 1]):
        first -= 1
    role = " ".join(words[first:])
    return role if first < len(words) - 1 or _bare_word(role) in lexicon().roles else None


def _is_role_word(word: str) -> bool:
    """Whether a word can stand before the head of a role: a modifier, a name in capitals, "of"."""
    bare = _bare_word(word)
    if word.endswith((",", ";", ":")):
        return False
    return (
        bare in lexicon().role_modifiers
        or bare in lexicon().roles
        or (word[:1].isupper() and word not in lexicon().never)
    )


def _bare_word(word: str) -> str:
    return re.sub(r"['’]s$", "", word).strip(".,").lower()


def countries_of(names: Sequence[str], dateline: Dateline | None) -> list[str]:
    """The countries of the story's names and of its dateline, the most frequent first."""
    counts: Counter[str] = Counter()
    for name in names:
        code = lexicon().countries.get(key_of(name)) or lexicon().peoples.get(name)
        if code:
            counts[code] += 2
    for place in dateline.places if dateline else ():
        if place.country:
            counts[place.country] += 3
    return [code for code, _ in counts.most_common()]


def place_of(name: str, countries: Iterable[str], dateline: Dateline | None) -> Place | None:
    """The place that a name means in this story.

    Countries and capitals are themselves; another name is the place in the country that the story tells most of, unless
    that one is a village beside its famous namesake.
    """
    for place in dateline.places if dateline else ():
        if place.name and key_of(place.name) == key_of(name):
            return place
    options = candidates(name)
    if not options:
        code = lexicon().countries.get(key_of(name))
        return Place(name, code) if code else None
    likeliest = options[0]
    if likeliest.kind != "country" and not likeliest.capital:
        for country in countries:
            if any(
                option.country == country and option.population >= MIN_NAMESAKE_SHARE * likeliest.population
                for option in options
            ):
                return find_place(name, countries=(country,))
    return find_place(name)
