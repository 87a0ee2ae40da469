"""Who and what a story names: its mentions gathered into entities with names, aliases, roles and places."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from processors.model.event import Dateline, Entity, Label, Mention, Place
from processors.places import Candidate, candidates, find_place, key_of
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
MAX_ACRONYM_CHARS: Final = 3  # a name as short as these begins many others
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

    number: int
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


class _GroupIndex:
    """Groups by what their names can be recognised by, so that a name is compared with few of them.

    Comparing each name with all others would take the square of the names: a list of 14,000 takes minutes.
    """

    def __init__(self) -> None:
        self._numbers: dict[_NameKey, int] = {}

    def add(self, number: int, label: Label, names: Iterable[str], *, latest: bool) -> None:
        """Note the names of a group by its number; the latest or the earliest group of a key counts."""
        for name in names:
            for key in _keys_offered(label, name):
                if latest:
                    self._numbers[key] = max(number, self._numbers.get(key, number))
                else:
                    self._numbers.setdefault(key, number)

    def find(self, label: Label, names: Iterable[str], *, latest: bool) -> int | None:
        """The number of the latest or earliest group that means the same as one of the names."""
        numbers = [
            self._numbers[key] for name in names for key in _keys_sought(label, name) if key in self._numbers
        ]
        return (max if latest else min)(numbers, default=None)


def _group_mentions(copy: Copy, names: Sequence[NameSpan]) -> list[_MentionGroup]:
    groups: list[_MentionGroup] = []
    index = _GroupIndex()
    seen: dict[tuple[Label, str], _MentionGroup] = {}
    previous: tuple[NameSpan, _MentionGroup] | None = None
    for span in names:
        name = " ".join(copy.read[span.start : span.end].split())
        key = (span.label, name.casefold())
        group = (
            _group_by_words_between(copy, previous, span, name)
            or seen.get(key)
            or _group_by_name(groups, index, span, name)
        )
        if group is None:
            group = _MentionGroup(len(groups), span.label)
            groups.append(group)
        if name not in group.names:
            index.add(group.number, group.label, (name,), latest=True)
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
    return len(letters) > 1 and "".join(letters) in _acronyms(name)


def _acronyms(name: str) -> set[str]:
    """The first letters of a name's words, and those without its small words."""
    words = [word.casefold() for word in re.split(r"[\s\-]+", name) if word]
    strict = "".join(word[0] for word in words if word not in ACRONYM_SKIPS)
    return {"".join(word[0] for word in words), strict}


def _group_by_name(
    groups: Sequence[_MentionGroup], index: _GroupIndex, span: NameSpan, name: str
) -> _MentionGroup | None:
    """The group that the name belongs to by itself, the latest first."""
    number = index.find(span.label, (name,), latest=True)
    return None if number is None else groups[number]


_NameKey = tuple[str, ...]  # a label, a kind of likeness, and the words that two names must share for it


def _keys_offered(label: Label, name: str) -> list[_NameKey]:
    """By what a name is recognised when another name follows it: two mean the same that share a key."""
    keys: list[_NameKey] = [(label, "name", name.casefold())]
    if label == "PER":
        family, given = surname(name), _given_names(name)[:1]
        keys += [(label, "any", family)]
        keys += (
            [(label, "given", family, given[0]), (label, "initial", family, given[0][:1])] if given else []
        )
        keys += [] if given else [(label, "surname alone", family)]
        keys += [(label, "initial alone", family, given[0])] if given and len(given[0]) == 1 else []
    elif label == "ORG":
        keys += [(label, "long", key) for key in _short_forms(name)]
        keys += [(label, "short", key) for key in _as_short_form(name)]
    elif code := _code_of(label, name):
        keys.append((label, "code", code))
    return keys


def _keys_sought(label: Label, name: str) -> list[_NameKey]:
    """The keys of earlier names that mean the same."""
    keys: list[_NameKey] = [(label, "name", name.casefold())]
    if label == "PER":
        family, given = surname(name), _given_names(name)[:1]
        if not given:
            return [*keys, (label, "any", family)]
        keys += [(label, "surname alone", family), (label, "given", family, given[0])]
        if len(given[0]) == 1:
            keys.append((label, "initial", family, given[0]))
        else:
            keys.append((label, "initial alone", family, given[0][:1]))
    elif label == "ORG":
        keys += [(label, "short", key) for key in _short_forms(name)]
        keys += [(label, "long", key) for key in _as_short_form(name)]
    elif code := _code_of(label, name):
        keys.append((label, "code", code))
    return keys


def _code_of(label: Label, name: str) -> str | None:
    """The country that a place or a people is of."""
    return lexicon().countries.get(key_of(name)) if label == "LOC" else lexicon().peoples.get(name)


def _short_forms(name: str) -> set[str]:
    """What an organisation's name may be shortened to: its acronyms, and its beginnings up to a blank."""
    folded = name.casefold()
    beginnings = {folded[:at] for at, char in enumerate(folded) if char == " "}
    return {"=" + letters for letters in _acronyms(name)} | beginnings


def _as_short_form(name: str) -> set[str]:
    """What a name is as a short form: an acronym where it is in capitals, a beginning where it is long enough."""
    letters = "".join(char for char in name.casefold() if char.isalnum())
    forms = {"=" + letters} if name.isupper() and len(letters) > 1 else set()
    return forms | ({name.casefold()} if len(name) > MAX_ACRONYM_CHARS else set())


def _given_names(name: str) -> list[str]:
    """The words before a surname and its particles, in lower case."""
    words = [word.strip(".") for word in name.casefold().replace("-", " ").split()]
    return [word for word in words[:-1] if word not in {"al", "el", "ad", "ar", "as", "ash"}]


def _join_groups(groups: list[_MentionGroup]) -> list[_MentionGroup]:
    """Groups that only a later, fuller name brings together: "Peskov" before "Dmitry Peskov" in a headline."""
    joined: list[_MentionGroup] = []
    index = _GroupIndex()
    for group in groups:
        number = index.find(group.label, group.names, latest=False)
        if number is None:
            number = len(joined)
            joined.append(group)
        else:
            twin = joined[number]
            twin.spans += group.spans
            twin.names.update(group.names)
            twin.roles += group.roles
            twin.nicknames |= group.nicknames
        index.add(number, group.label, group.names, latest=False)
    return joined


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

    Countries and capitals are themselves, but for the region of that name that the dateline lies in (Georgia, told from
    Atlanta). Another name is the place in the country that the story tells most of, unless that one is a village beside
    its famous namesake.
    """
    for place in dateline.places if dateline else ():
        if place.name and key_of(place.name) == key_of(name):
            return place
    options = candidates(name)
    if not options:
        code = lexicon().countries.get(key_of(name))
        return Place(name, code) if code else None
    likeliest = options[0]
    if likeliest.kind == "country" or likeliest.capital:
        home = next(
            (region for region in options if region.kind == "region" and _is_told_from(dateline, region)),
            None,
        )
        return home.place(name) if home else find_place(name)
    for country in countries:
        if any(
            option.country == country and option.population >= MIN_NAMESAKE_SHARE * likeliest.population
            for option in options
        ):
            return find_place(name, countries=(country,))
    return find_place(name)


def _is_told_from(dateline: Dateline | None, region: Candidate) -> bool:
    """Whether the dateline's first place is known to lie in a region of its country."""
    place = dateline.places[0] if dateline and dateline.places else None
    if place is None or place.geoname_id is None or not place.name or not region.region:
        return False
    return any(
        town.geoname_id == place.geoname_id and town.kind == "city" and town.region == region.region
        for town in candidates(place.name)
        if town.country == region.country
    )
