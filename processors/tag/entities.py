"""Who and what a story names: its mentions gathered into entities with names, aliases, roles and places."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import Final

from config.lexicon import join_patterns, language
from processors.model.event import Dateline, Entity, Label, Mention, Place
from processors.places import candidates, key_of
from processors.tag.bodies import acronyms_of, bodies_of
from processors.tag.copy import Copy, NameSpan
from processors.tag.lexicon import READ_LANGUAGE, find_country_code, lexicon, small_words
from processors.tag.people import people_of
from processors.tag.story_map import locate_names

ACRONYM_BRACKET: Final = re.compile(r"\s*\(\s*[\"“'‘]?$")
MAX_CUE_CHARS: Final = 60  # between a name and its alias; more is another clause
WORDS_BEFORE: Final = re.compile(r"(?:[^\W_][\w.&'’-]* +){1,8}$")
MAX_ROLE_CHARS: Final = 90  # before a name in which its role stands; longer ones run into the clause before
MILITARY_TITLES: Final = frozenset(
    {"sen", "rep", "gov", "gen", "col", "maj", "lt", "capt", "sgt", "ministry"}
)


_GroupKey = tuple[str, ...]


@dataclass(slots=True)
class _MentionGroup:
    """The mentions of one entity, in order of the text."""

    label: Label
    has_cases: bool  # in its language, so that the shortest form is the first case
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
        """The fullest form; of those as full the most frequent, or where names have cases the first case."""
        proper = [name for name in self.names if name not in self.nicknames] or list(self.names)
        if self.has_cases:
            return max(proper, key=lambda name: (len(name.split()), -len(name), self.names[name]))
        return max(proper, key=lambda name: (len(name.split()), self.names[name], len(name)))


def gather_entities(
    copy: Copy, names: Sequence[NameSpan], dateline: Dateline | None
) -> tuple[tuple[Mention, ...], tuple[Entity, ...]]:
    """The mentions, each with its entity, and the entities in order of their first mention."""
    groups = _group_mentions(copy, names)
    countries = countries_of([name for group in groups for name in group.names.elements()], dateline)
    located = [group for group in groups if group.label == "LOC"]
    places = locate_names(copy, [(group.name, group.spans) for group in located], countries, dateline)
    place_of = {id(group): place for group, place in zip(located, places, strict=True)}
    ids = {id(group): f"e{number}" for number, group in enumerate(groups, 1)}
    owner = {span: ids[id(group)] for group in groups for span in group.spans}
    mentions = tuple(copy.mention(name, owner[name]) for name in names)
    return mentions, tuple(_entity(ids[id(group)], group, place_of.get(id(group))) for group in groups)


def _entity(identifier: str, group: _MentionGroup, place: Place | None) -> Entity:
    name = group.name
    aliases = tuple(other for other in group.names if other != name)
    return Entity(identifier, group.label, name, aliases, tuple(dict.fromkeys(group.roles)), place)


def _group_mentions(copy: Copy, names: Sequence[NameSpan]) -> list[_MentionGroup]:
    """The mentions by what they mean, in order of their first one."""
    words = {span: " ".join(copy.read[span.start : span.end].split()) for span in names}
    aliases, brackets = _names_joined(copy, names, words)
    known_as = {span: aliases[words[span].casefold()] for span in names if words[span].casefold() in aliases}
    people = people_of(
        copy,
        [span for span in names if span.label == "PER" and (" " in words[span] or span not in known_as)],
        known_as,
    )
    bodies = bodies_of((words[span] for span in names if span.label == "ORG"), copy.language)
    groups: dict[_GroupKey, _MentionGroup] = {}
    keys: dict[NameSpan, _GroupKey] = {}
    for span in names:
        name = words[span]
        known = aliases.get(name.casefold()) or brackets.get(span)
        key = keys[known] if known in keys else _key_of(span, name, people, bodies)
        keys[span] = key
        group = groups.get(key)
        if group is None:
            group = groups[key] = _MentionGroup(span.label, has_cases=_has_cases(copy))
        if name.casefold() in aliases:
            group.nicknames.add(name)
        group.add(span, name)
        if span.label == "PER" and (role := role_before(copy.read, span.start)):
            group.roles.append(role)
    return list(groups.values())


def _has_cases(copy: Copy) -> bool:
    """Whether names have cases in the language of a copy."""
    words = language(copy.language)
    return bool(words and words.names and words.names.endings)


def _key_of(
    span: NameSpan, name: str, people: Mapping[NameSpan, int], bodies: Mapping[str, str]
) -> _GroupKey:
    """By what a mention is put to others: the number of its person, the full name of its body, its country or its words."""
    if span in people:
        return (span.label, "person", str(people[span]))
    if span.label == "ORG":
        return (span.label, "body", bodies[name])
    code = lexicon().countries.get(key_of(name)) if span.label == "LOC" else lexicon().peoples.get(name)
    if span.label == "LOC" and any(place.kind == "region" for place in candidates(name)[:1]):
        code = None  # England and Wales are two places of one country
    return (span.label, "code", code) if code else (span.label, "name", name.casefold())


def _names_joined(
    copy: Copy, names: Sequence[NameSpan], words: Mapping[NameSpan, str]
) -> tuple[dict[str, NameSpan], dict[NameSpan, NameSpan]]:
    """Names that the words before them join to another: aliases by their words, acronyms in brackets by their place.

    An alias is of any label, since a nickname is seldom read as a person's.
    """
    aliases: dict[str, NameSpan] = {}
    brackets: dict[NameSpan, NameSpan] = {}
    cue = alias_cue(copy.language)
    for before, span in pairwise(names):
        between = copy.read[before.end : span.start]
        if len(between) > MAX_CUE_CHARS:
            continue
        if cue.fullmatch(between) and words[before].casefold() != words[span].casefold():
            aliases.setdefault(words[span].casefold(), before)
        elif ACRONYM_BRACKET.fullmatch(between) and is_acronym(words[span], words[before], copy.language):
            brackets[span] = before
    return aliases, brackets


@cache
def alias_cue(tag: str) -> re.Pattern[str]:
    """What stands between a name and another that the same goes by, in a language and in English."""
    named = [words.names for words in (language(tag), language(READ_LANGUAGE)) if words and words.names]
    return re.compile(
        rf",?\s*(?:{join_patterns(each.aliases for each in named)})\s*[\"“”«„'‘]?", re.IGNORECASE
    )


def is_acronym(short: str, name: str, tag: str) -> bool:
    """Whether the letters of `short` open the words of `name` in order, small words left out or not."""
    letters = [char for char in short.casefold() if char.isalnum()]
    return len(letters) > 1 and "".join(letters) in acronyms_of(name, small_words(tag))


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


def countries_of(names: Sequence[str], dateline: Dateline | None) -> Counter[str]:
    """The countries of the story's names and of its dateline, with how often they are told."""
    counts: Counter[str] = Counter()
    for name in names:
        code = find_country_code(name)
        if code and not _is_rather_a_town(name, code):
            counts[code] += 2
    for place in dateline.places if dateline else ():
        if place.country:
            counts[place.country] += 3
    return counts


def _is_rather_a_town(name: str, code: str) -> bool:
    """Whether a country goes by a name in some language, and a town elsewhere is more: Granada is Grenada's in Spanish."""
    return any(place.kind == "city" and place.country != code for place in candidates(name)[:1])
