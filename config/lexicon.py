"""Every word that the pipeline knows, read from ``config/lexicon``: the one reader, typed and strict.

``languages/<tag>.toml`` has the words of one language, ``agencies.toml`` those of the agencies; what belongs to no
language has a file of its own. A file is read when it is asked for first, and once a process.

Raises:
    Misconfigured: a file has a key that no struct below names, a value of another type, or a regular expression
        that does not compile; the message names the file, the line and the key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Annotated, Final, Literal

import msgspec

from config import Misconfigured
from config.name_words import CompanyWords, Names, PlaceWords, SportWords
from config.word_files import (
    NO_PATTERN,
    Pattern,
    PhraseList,
    Template,
    WordSet,
    WordTable,
    line_of,
    read_file,
)

FOLDER: Final = Path(__file__).parent / "lexicon"
READ_AS: Final = {"no": "nb", "nn": "nb"}  # Norwegian without its form, and Nynorsk, are read as Bokmål
VersionRelation = Literal["update", "correction", "kill"]
VersionPlace = Literal["headline", "slug", "note", "line"]
Forms = str  # the forms of one word, separated by blanks: "Januar Jänner"
Months = Annotated[tuple[Forms, ...], msgspec.Meta(min_length=12, max_length=12)]
Weekdays = Annotated[tuple[Forms, ...], msgspec.Meta(min_length=7, max_length=7)]


class Calendar(WordTable, frozen=True):
    """The names of the months from January, and of the days of the week from Monday.

    They are written as the language writes them: with a capital only where it has one, and with accents.
    """

    months: Months
    weekdays: Weekdays
    before_day: Pattern = NO_PATTERN  # in a dateline
    before_month: Pattern = NO_PATTERN
    short_months: Months = ("",) * 12
    feed_months: Months = ("",) * 12  # other forms, for dates of feeds alone: in copy some are other words
    short_weekdays: Weekdays = ("",) * 7


class DateRule(WordTable, frozen=True, rename={"unless": "not"}):
    """One way to write a time.

    `kind` says how `processors.dates.timex.resolution` reads it. In `pattern`, case-blind, ``{table}`` stands for any
    word of a table, ``{n}`` for a number in words or digits, ``{day}`` and ``{year}`` for digits, and a blank for
    white space. `after`, `not_after`, `before` and `not_before` look at what surrounds the expression, `not` at its words.
    """

    kind: str
    pattern: Pattern
    after: Pattern = Pattern()
    not_after: Pattern = Pattern()
    before: Pattern = Pattern()
    not_before: Pattern = Pattern()
    unless: Pattern = Pattern()


class Dates(WordTable, frozen=True):
    """Date expressions. A table gives each word, or fixed phrase, a code that is the same in every language.

    ============== =====================================================================================
    weekday, month 0 (Monday) to 6, 1 to 12: forms beside the calendar's; weekdays: the plural words
    unit, units    ``D W M Q Y E C WE``: day … year, decade, century, weekend; singular and plural words
    clock          ``H M S``
    season         ``SP SU FA WI``
    shift          -1 (last), 0 (this), 1 (next)
    number         its value, like ordinal; compounds ("twenty-one") are made by the grammar
    relative_day   days from the reference date
    part           ``MO AF EV NI``, or a time of day; this_part: of the reference date, with ``-`` of the day before
    reference      ``PRESENT_REF PAST_REF FUTURE_REF``
    holiday        ``MM-DD``; ``MM-N-D`` the Nth weekday D of a month (``L`` the last); ``E+N`` days from Easter
    every          the period, ``P1D``
    century        its number; short: the digit of a decade (the sixties: 6)
    pair, era      the unit that a word means two of (يومين); the year before an era's first (令和: 2018)
    ============== =====================================================================================

    A word that is spelled with a capital letter must have one in the text. `many` are words for an unknown number.
    `lead` may stand before an expression of `lead_kinds` and belongs to it. `future` and `past` are cues that tell
    whether a clause looks ahead or back; `past_after` follows a past expression, `future_before` stands before a
    future one, unless `future_unless` goes before that. `clitics` are letters that a word may begin with and that
    belong to no expression: الاثنين in والاثنين. A language is `unspaced` where no blanks part its words.
    """

    rule: tuple[DateRule, ...]
    unspaced: bool = False
    clitics: Pattern = NO_PATTERN
    many: tuple[str, ...] = ()
    day_suffix: Pattern = Pattern()
    lead: Pattern = Pattern()
    lead_kinds: frozenset[str] = frozenset()
    future: Pattern = NO_PATTERN
    past: Pattern = NO_PATTERN
    future_before: Pattern = NO_PATTERN
    future_unless: Pattern = NO_PATTERN
    past_after: Pattern = NO_PATTERN
    weekday: dict[str, int] = msgspec.field(default_factory=dict)
    weekdays: dict[str, int] = msgspec.field(default_factory=dict)
    month: dict[str, int] = msgspec.field(default_factory=dict)
    unit: dict[str, str] = msgspec.field(default_factory=dict)
    units: dict[str, str] = msgspec.field(default_factory=dict)
    clock: dict[str, str] = msgspec.field(default_factory=dict)
    season: dict[str, str] = msgspec.field(default_factory=dict)
    shift: dict[str, int] = msgspec.field(default_factory=dict)
    number: dict[str, int] = msgspec.field(default_factory=dict)
    ordinal: dict[str, int] = msgspec.field(default_factory=dict)
    relative_day: dict[str, int] = msgspec.field(default_factory=dict)
    part: dict[str, str] = msgspec.field(default_factory=dict)
    this_part: dict[str, str] = msgspec.field(default_factory=dict)
    reference: dict[str, str] = msgspec.field(default_factory=dict)
    holiday: dict[str, str] = msgspec.field(default_factory=dict)
    every: dict[str, str] = msgspec.field(default_factory=dict)
    century: dict[str, int] = msgspec.field(default_factory=dict)
    short: dict[str, int] = msgspec.field(default_factory=dict)
    pair: dict[str, str] = msgspec.field(default_factory=dict)
    era: dict[str, int] = msgspec.field(default_factory=dict)


class Speech(WordTable, frozen=True):
    """Who said what: words in lower case, by what they do in a clause that tells it."""

    cues: WordSet = WordSet()  # verbs of speech, all forms
    weak: WordSet = WordSet()  # cues that need a quotation beside them, being common
    plain: WordSet = WordSet()  # cues of narration, for dialogue that a dash opens
    nominal: PhraseList = PhraseList()  # what may stand between a source and its words: "according to"
    behind: PhraseList = PhraseList()  # what stands behind a source that its words accord to: Virtasen mukaan
    passive: WordSet = WordSet()
    agent: WordSet = WordSet()  # before who did it: "by"
    pronouns: WordSet = WordSet()
    pronouns_he: WordSet = WordSet()
    pronouns_she: WordSet = WordSet()
    pronouns_it: WordSet = WordSet()
    pronouns_they: WordSet = WordSet()
    relatives: WordSet = WordSet()
    determiners: WordSet = WordSet()
    definite: WordSet = WordSet()
    indefinite: WordSet = WordSet()
    oblique: WordSet = WordSet()  # determiners of no subject: den Prozess nannte sie
    prepositions: WordSet = WordSet()  # those inside a noun phrase
    boundaries: WordSet = WordSet()  # words that end a noun phrase
    auxiliaries: WordSet = WordSet()  # verbs and adverbs between a subject and its cue
    openers: WordSet = WordSet()  # what can start a sentence before its subject
    titles: WordSet = WordSet()  # abbreviations that end in a full stop
    times: WordSet = WordSet()  # no speakers, though they have capitals
    nouns: WordSet = WordSet()  # cues that are nouns as well
    addressing: WordSet = WordSet()  # prepositions of whom one speaks to: a déclaré à l'AFP le maire
    addressees: WordSet = WordSet()  # whom one speaks to, without a preposition: powiedział PAP burmistrz
    joiners: WordSet = WordSet()
    conjunctions: WordSet = WordSet()
    elisions: WordSet = WordSet()  # what an apostrophe cuts off, beside pronouns
    that: WordSet = WordSet()
    masculine: WordSet = WordSet()
    feminine: WordSet = WordSet()
    organisations: WordSet = WordSet()
    silent: WordSet = WordSet()  # nouns that never speak: times, numbers, places in general, what happens
    alone: WordSet = WordSet()  # what speaks without an article, where a noun needs one; empty: it needs none
    firms: WordSet = WordSet()  # organisations that stand for the one named last: the company
    voices: WordSet = WordSet()  # who or what speaks for a body: spokesman, statement
    participle: str = ""  # endings
    adverb: str = ""
    verbal: str = ""
    bare_reports: bool = False
    said_before: Pattern = NO_PATTERN  # beside a quotation, where there are no capitals: groups source, cue
    said_behind: Pattern = NO_PATTERN  # right behind one
    dash: bool = False  # a dash at the head of a paragraph opens speech
    talks: bool = False  # such speech goes on behind the sentence that names the speaker
    late: bool = False  # the cue may end that sentence: – …, kaupunginjohtaja Aino Virtanen sanoo.


class DamageWords(WordTable, frozen=True):
    """Words by which copy that lost something in transit is known.

    Links and bold text stripped by a filter take words with them, or leave an ending ("the council ed a law").
    """

    endings: tuple[str, ...]  # that are no word by themselves
    unended: frozenset[str]  # words that no clause ends with
    prepositions: frozenset[str]  # after a quoted adjective that stands where a noun must
    adjectives: frozenset[str]  # that are no nouns
    takers: frozenset[str]  # verbs and determiners that a noun must follow, before such an adjective
    never: dict[str, WordSet]  # by word: what clean copy never has right after it
    letter_takers: frozenset[str] = frozenset()  # those of them that a letter may follow: add an “s”
    flat: frozenset[str] = frozenset()  # adjectives that are adverbs as well: win “big” in the north
    asides: frozenset[str] = frozenset()  # behind such a pair, they make of it what stands before a noun
    gaps: Pattern = NO_PATTERN  # other places that clean copy does not have
    sums: Pattern = NO_PATTERN  # after a sum's figure
    lone_titles: Pattern = NO_PATTERN  # that a name must follow
    after_titles: Pattern = NO_PATTERN  # words that are none
    clause_openers: frozenset[str] = frozenset()  # before which, behind a comma, an unended word is whole


class Version(WordTable, frozen=True):
    """How agencies say that a story is a version of another one, or how urgent it is.

    `pattern` is tried only where one of the `words` (lower case) stands, so that ordinary copy costs next to nothing,
    on what `where` names: the headline, the slug line, the note to editors, or each of the text's first lines. It is
    case-blind, and in it

    ========= =======================================================================
    {open}    the start, after brackets and marks
    {paren}   the start with at least one bracket or ``==``
    {close}   what ends a mark: a dash, colon, bracket, the end
    {n} {ord} a number, an ordinal: the version's sequence
    {editors} the start, after a line to editors has been opened in any language
    ========= =======================================================================

    `urgency` is that of ninjs (1 flash … 9); `advisory`: the item is about a story, and is none itself.
    """

    words: WordSet
    where: tuple[VersionPlace, ...]
    pattern: Pattern
    relation: VersionRelation | None = None
    sequence: int | None = None
    urgency: int | None = None
    advisory: bool = False


class StoryNames(WordTable, frozen=True):
    """Words before the headline that an advisory, correction or kill names."""

    titled: Pattern = NO_PATTERN  # right before it: headlined “…”
    nouns: Pattern = NO_PATTERN  # earlier in its sentence: the story about the bridge, “…”
    before_bracket: Pattern = NO_PATTERN  # before 「…」


class KillWords(WordTable, frozen=True):
    """How a notice that kills a story is written; `processors.notices` says what makes it one.

    Nothing is tried where none of `words` stands. Patterns are case-blind; those of sentences are tried where no word of
    `news` stands, and in them

    ========= =============================================================
    {story}   what notices call a story (`story`), or a quotation
    {slug}    a word that is written as a slug
    {joined}  one that is joined by hyphens or slashes
    {agent}   up to three words that name who withdraws: it must be the sender
    ========= =============================================================
    """

    words: WordSet = WordSet()
    sure: Pattern = NO_PATTERN  # marks that mean nothing else, in any letters
    marks: Pattern = NO_PATTERN  # marks that are words of news, too
    slugs: Pattern = NO_PATTERN  # marks of slug lines beside the sure ones
    substitutes: Pattern = NO_PATTERN  # marks of what may be a new version: a kill only where it is short
    story: Pattern = NO_PATTERN
    address: Pattern = NO_PATTERN  # who is addressed, in the headline or the first lines
    requests: Pattern = NO_PATTERN  # sentences that ask editors not to use a story
    withdraws: Pattern = NO_PATTERN  # sentences in which {agent} or a pronoun withdraws one
    withdrawn: Pattern = NO_PATTERN  # sentences in which one is withdrawn, where something else is a notice's
    supports: Pattern = NO_PATTERN  # what else a notice says: that a substitute follows
    replaces: Pattern = NO_PATTERN  # in a sentence that names another story than the one that is killed
    news: WordSet = WordSet()  # of sentences that tell news: said, court


class EmbargoWords(WordTable, frozen=True):
    """Until when copy is held back. `pattern` matches what opens an embargo; its words are in `words`.

    ``{until}`` in it: where a word follows, it is one of `until`, or of `at` and a figure; others make a headline of it
    ("Embargo hits bakers"). `plain` words may stand beside a time without changing it: words for tomorrow are not
    among them, nor those that are also part of a time (8 de la mañana). `zone` has words that tell a zone (IANA).
    """

    words: WordSet = WordSet()
    pattern: Pattern = NO_PATTERN
    until: Pattern = NO_PATTERN
    at: Pattern = NO_PATTERN
    plain: WordSet = WordSet()
    hour: Pattern = NO_PATTERN  # after the figure of an hour
    hours: Pattern = NO_PATTERN  # after the four figures of a time
    clock: Pattern = NO_PATTERN  # before the figure of an hour
    midnight: Pattern = NO_PATTERN
    zone: dict[str, str] = msgspec.field(default_factory=dict)


class Lines(WordTable, frozen=True):
    """By which words lines are known, whoever sends them.

    Patterns in small letters, tried at the start of a line in small letters (of the whole line where they end in ``$``).
    ``{version_end}`` and ``{marked_end}`` are how a mark may end: `processors.layout.phrases`.
    """

    note: tuple[Pattern, ...] = ()  # to editors
    signoff: tuple[Pattern, ...] = ()
    contributed: tuple[Pattern, ...] = ()  # who contributed, at the end of a line
    contributed_words: tuple[str, ...] = ()  # each line of `contributed` has one of them
    boilerplate: tuple[Pattern, ...] = ()
    byline: Pattern = NO_PATTERN  # what opens a byline
    role: Pattern = NO_PATTERN  # what may follow its names
    conjunction: Pattern = NO_PATTERN  # between two names
    said: Pattern = NO_PATTERN  # verbs that no caption has
    seen: Pattern = NO_PATTERN  # what somebody in a picture does
    sides: str = ""  # letters that tell where somebody stands in a picture: left, right, centre
    office: Pattern = NO_PATTERN  # before somebody whose party such a letter may be
    interview: Pattern = NO_PATTERN  # what opens a question or an answer
    place_particles: WordSet = WordSet()  # words in small letters within names of places
    source: Pattern = NO_PATTERN  # before an agency that a story comes from: (avec AFP), Quelle: dpa


class LanguageWords(WordTable, frozen=True):
    """``languages/<tag>.toml``: the words of one language. Each table may be missing; date rules need the calendar.

    `topics` has by Media Topic the terms of its stories, separated by commas: they match without regard to case, a
    plural in -s matches its singular; "!" after a term makes it weigh more, as it hardly stands in other stories.
    ``elect*`` are words that begin so, ``*minister`` words that end so. A term may stand under several topics. Phrases
    under ``none`` tell no topic, whatever their words would.
    """

    calendar: Calendar | None = None
    common: WordSet = WordSet()  # the commonest words: articles, prepositions, conjunctions, auxiliaries
    negation: WordSet = WordSet()  # words that turn a sentence round, or take back what it says
    fillers: WordSet = WordSet()  # words that tell nothing new by themselves, beside the commonest
    contrast: WordSet = WordSet()  # common words that change what is said: after, before
    dates: Dates | None = None
    speech: Speech | None = None
    damage: DamageWords | None = None
    names: Names | None = None
    places: PlaceWords = PlaceWords()
    companies: CompanyWords = CompanyWords()
    sport: SportWords = SportWords()
    lines: Lines = Lines()
    version: tuple[Version, ...] = ()
    editors: Pattern = NO_PATTERN  # how a line to editors opens
    story_names: StoryNames = StoryNames()
    kill: KillWords = KillWords()
    embargo: EmbargoWords = EmbargoWords()
    topics: dict[str, str] = msgspec.field(default_factory=dict)


class Agency(WordTable, frozen=True):
    """An ``[[agency]]`` of ``agencies.toml``, whose head explains the members."""

    name: str
    marks: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    desks: tuple[str, ...] = ()
    bare: bool = False
    dateline: str = ""
    country: str | None = None
    zone: str | None = None
    signoffs: tuple[Template, ...] = ()
    initials: tuple[Template, ...] = ()
    credits: tuple[Template, ...] = ()
    notes: tuple[Template, ...] = ()
    boilerplate: tuple[Template, ...] = ()


class OtherAgencies(WordTable, frozen=True):
    """An ``[[other]]`` of ``agencies.toml``: agencies that send no dispatches."""

    names: tuple[str, ...] = ()
    desks: tuple[str, ...] = ()


class Agencies(WordTable, frozen=True):
    """``agencies.toml``."""

    agency: tuple[Agency, ...]
    other: tuple[OtherAgencies, ...] = ()

    def desks(self) -> frozenset[str]:
        """How agencies stand in credits of pictures."""
        named = (name for agency in self.agency for name in (agency.name, *agency.desks))
        return frozenset(named).union(*(other.desks for other in self.other))

    def names(self) -> frozenset[str]:
        """How copy names agencies."""
        named = (name for agency in self.agency for name in (agency.name, *agency.names))
        return frozenset(named).union(*(other.names for other in self.other))


@cache
def languages() -> tuple[str, ...]:
    """The tags of the languages that have a file, in order."""
    return tuple(sorted(path.stem for path in (FOLDER / "languages").glob("*.toml")))


def language(tag: str) -> LanguageWords | None:
    """The words of a language by its primary subtag (BCP 47), or None where it has no file."""
    name = READ_AS.get(tag, tag)
    return _language(name) if name in languages() else None


@cache
def _language(tag: str) -> LanguageWords:
    return read_file(FOLDER / "languages" / f"{tag}.toml", LanguageWords)


def calendars() -> Iterator[Calendar]:
    """The calendar of each language that has one."""
    return (words.calendar for _, words in every_language() if words.calendar)


def join_patterns(patterns: Iterable[Pattern]) -> Pattern:
    """A pattern that matches where one of some languages' does."""
    return Pattern("|".join(pattern for pattern in patterns if pattern != NO_PATTERN) or NO_PATTERN)


def every_language() -> Iterator[tuple[str, LanguageWords]]:
    """Each language's tag and words."""
    for tag in languages():
        if words := language(tag):
            yield tag, words


@cache
def agencies() -> Agencies:
    """The agencies, none of which is told twice."""
    return read_agencies(FOLDER / "agencies.toml")


# `cache` lets threads that begin at the same moment do the same work: each of them would read every file.
_CHECK_LOCK: Final = Lock()


def check_lexicon() -> None:
    """Read every language and the agencies now, so that a fault in them stops a command when it starts.

    Raises:
        Misconfigured: a file of them has a fault.
    """
    with _CHECK_LOCK:
        agencies()
        for _ in every_language():
            pass


def read_agencies(path: Path) -> Agencies:
    """A file of agencies, in which no name or mark stands for two.

    Raises:
        Misconfigured: as `read_file`, or an agency is told twice.
    """
    file = read_file(path, Agencies)
    owners: dict[str, str] = {}
    for number, agency in enumerate(file.agency):
        for key, marks in (("name", (agency.name,)), ("marks", agency.marks)):
            for mark in marks:
                owner = owners.setdefault(mark.casefold(), f"agency {number}: {agency.name}")
                if not owner.startswith(f"agency {number}:"):
                    line = line_of(path.read_text("utf-8"), ("agency", number, key))
                    raise Misconfigured(
                        f"{path}:{line}: agency.{number}.{key}: {mark!r} stands for {owner} already"
                    )
    return file


def forms(words: tuple[str, ...], first: int = 0) -> Iterator[tuple[str, int]]:
    """Each form with the number of its word, counted from `first`."""
    for number, spellings in enumerate(words, first):
        for form in spellings.split():
            yield form, number
