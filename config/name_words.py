"""Words in names and beside them: what they say of people, bodies, places, companies and teams.

`config.lexicon` reads them from ``languages/<tag>.toml``.
"""

from __future__ import annotations

import msgspec

from config.word_files import NO_PATTERN, Pattern, WordSet, WordTable


class Names(WordTable, frozen=True):
    """Words beside names and in them; `roles` and `role_modifiers` in lower case."""

    titles: frozenset[str] = frozenset()  # before a person's name; no part of it
    roles: frozenset[str] = frozenset()  # before a person's name, or beside it
    role_modifiers: frozenset[str] = frozenset()  # "foreign" of foreign minister
    never: frozenset[str] = frozenset()  # no names, though they have a capital
    organisation_words: frozenset[str] = frozenset()  # that make a name an organisation
    place_words: frozenset[str] = frozenset()  # that make it a place, at its end or, with a blank, before it
    prefixes: WordSet = WordSet()  # written as one with a name behind them: وسامي
    endings: WordSet = WordSet()  # that cases add to names, or put in the place of others
    nicknames: dict[str, str] = msgspec.field(
        default_factory=dict
    )  # of given names, and those that they may stand for
    aliases: Pattern = NO_PATTERN  # between a name and another that the same goes by
    kin: WordSet = WordSet()  # father, wife: words that name somebody by a relative
    namesakes: Pattern = NO_PATTERN  # before the name of a second person who bears it: "also called"
    dead: WordSet = WordSet()  # told of those who no longer speak
    small: WordSet = WordSet()  # within names: acronyms leave them out, and two orders of words do
    spellings: dict[str, str] = msgspec.field(
        default_factory=dict
    )  # of words of one name, and how it is compared


class PlaceWords(WordTable, frozen=True):
    """What the words beside a name say of a place. A blank stands between them and the name, where the language has blanks.

    Patterns are alternatives without regard to case, but for `region_after`, `city_after` and what small letters join.
    """

    within: Pattern = NO_PATTERN  # right before a place that something is in or near: in, northern
    located: Pattern = NO_PATTERN  # right before a place, as before people too: from, to
    between: Pattern = NO_PATTERN  # may stand between these and the name: the, downtown
    behind: Pattern = NO_PATTERN  # what says so behind it: 東京で
    moving: Pattern = NO_PATTERN  # before where somebody comes from or goes to
    origin: Pattern = NO_PATTERN  # before where somebody is from
    region_before: Pattern = NO_PATTERN  # what regions are called, right before their name
    region_after: Pattern = NO_PATTERN  # right behind it
    not_behind: Pattern = NO_PATTERN  # what makes a body of name and word: Ohio State University
    region_endings: WordSet = WordSet()  # last words of regions' names, in lower case
    city_before: Pattern = NO_PATTERN  # what towns are called, likewise
    city_after: Pattern = NO_PATTERN
    of: Pattern = NO_PATTERN  # between such a word and the name: the state of
    area_in: Pattern = NO_PATTERN  # between a town and its area, beside comma and bracket: Perth in Scotland
    genitive: Pattern = NO_PATTERN  # behind an area whose own a name is: Chile's Santiago
    joining: Pattern = NO_PATTERN  # between two names of a list: and
    after_joining: Pattern = NO_PATTERN  # may stand between that and the second
    small_before: Pattern = (
        NO_PATTERN  # small words that are taken for a part of a name behind them: Para Israel
    )
    elided: Pattern = NO_PATTERN  # the same without a blank: l'
    not_towns: WordSet = WordSet()  # small words that are towns somewhere, in lower case
    river: Pattern = NO_PATTERN  # between a town and its river: an der
    first_cases: tuple[str, ...] = ("",)  # endings of first cases, which others take the place of


class CompanyWords(WordTable, frozen=True):
    """What the words beside a name say of a company."""

    kinds: Pattern = NO_PATTERN  # what companies are called: "retailer Norrvik"
    before: Pattern = NO_PATTERN  # right before the name, beside its kind
    after: Pattern = NO_PATTERN  # right after it, with a blank between
    acts: Pattern = NO_PATTERN  # what a company does, likewise
    owns: Pattern = NO_PATTERN  # what is its own, with an apostrophe


class SportWords(WordTable, frozen=True):
    """Words of games."""

    words: Pattern = NO_PATTERN  # of a story that tells of games
    verbs: Pattern = NO_PATTERN  # what a team does, right after its name
    against: Pattern = NO_PATTERN  # right before the name of a team
    located: Pattern = NO_PATTERN  # right before the name of a place, which no team is then
    not_nicknames: frozenset[str] = frozenset()  # plurals with a capital that are not what players are called
