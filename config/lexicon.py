"""Every word that the pipeline knows, read from ``config/lexicon``: the one reader, typed and strict.

``languages/<tag>.toml`` has the words of one language, ``agencies.toml`` those of the agencies; what belongs to no
language has a file of its own. A file is read when it is asked for first, and once a process.

Raises:
    Misconfigured: a file has a key that no struct below names, a value of another type, or a regular expression
        that does not compile; the message names the file, the line and the key.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import msgspec

from config.errors import Misconfigured

FOLDER: Final = Path(__file__).parent / "lexicon"
READ_AS: Final = {"no": "nb", "nn": "nb"}  # Norwegian without its form, and Nynorsk, are read as Bokmål
_PLACEHOLDER: Final = re.compile(r"\{[a-z_]+\}")
_FAULT: Final = re.compile(r"(?P<problem>.*?)(?: - at `(?:key in )?\$(?P<path>[^`]*)`)?")
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`")
_TOML_LINE: Final = re.compile(r"\(at line (\d+)")
_HEADER: Final = re.compile(r"\[+([^\]]+)\]+")

File = TypeVar("File")


class Pattern(str):
    """A regular expression; ``{word}`` in it is a placeholder that its reader fills in."""

    __slots__ = ()


TEMPLATE_FIELDS: Final = frozenset({"name", "agency", "company", "letters", "code", "number", "date", "any"})


class Template(str):
    """Plain words of a whole line, with ``{field}`` for others: see `TEMPLATE_FIELDS` and the head of agencies.toml."""

    __slots__ = ()


class WordSet(frozenset[str]):
    """Words, which the file separates by blanks or semicolons."""

    __slots__ = ()


class PhraseList(tuple[str, ...]):
    """Phrases, which the file separates by semicolons; a word has no blank in it."""

    __slots__ = ()


class _Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of a file; any other key in it is an error."""


Forms = str  # the forms of one word, separated by blanks: "Januar Jänner"
Months = Annotated[tuple[Forms, ...], msgspec.Meta(min_length=12, max_length=12)]
Weekdays = Annotated[tuple[Forms, ...], msgspec.Meta(min_length=7, max_length=7)]


class Calendar(_Words, frozen=True):
    """The names of the months from January, and of the days of the week from Monday.

    They are written as the language writes them: with a capital only where it has one, and with accents.
    """

    months: Months
    weekdays: Weekdays
    short_months: Months = ("",) * 12
    short_weekdays: Weekdays = ("",) * 7


class DateRule(_Words, frozen=True, rename={"unless": "not"}):
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


class Dates(_Words, frozen=True):
    """Date expressions. A table gives each word, or fixed phrase, a code that is the same in every language.

    ============== =====================================================================================
    weekday        0 (Monday) to 6: forms beside the calendar's; weekdays: the plural words
    unit, units    ``D W M Q Y E C WE``: day … year, decade, century, weekend; singular and plural words
    clock          ``H M S``
    season         ``SP SU FA WI``
    shift          -1 (last), 0 (this), 1 (next)
    number         its value; compounds ("twenty-one") are made by the grammar
    ordinal        its value
    relative_day   days from the reference date
    part           ``MO AF EV NI``, or a time of day
    this_part      the same, of the reference date; with ``-`` of the day before
    reference      ``PRESENT_REF PAST_REF FUTURE_REF``
    holiday        ``MM-DD``; ``MM-N-D`` the Nth weekday D of a month (``L`` the last); ``E+N`` days from Easter
    every          the period, ``P1D``
    ============== =====================================================================================

    A word that is spelled with a capital letter must have one in the text. `many` are words for an unknown number.
    `lead` may stand before an expression of `lead_kinds` and belongs to it. `future` and `past` are cues that tell
    whether a clause looks ahead or back; `past_after` follows a past expression, `future_before` stands before a
    future one.
    """

    rule: tuple[DateRule, ...]
    many: tuple[str, ...] = ()
    day_suffix: Pattern = Pattern()
    lead: Pattern = Pattern()
    lead_kinds: frozenset[str] = frozenset()
    future: Pattern = Pattern("(?!)")
    past: Pattern = Pattern("(?!)")
    future_before: Pattern = Pattern("(?!)")
    past_after: Pattern = Pattern("(?!)")
    weekday: dict[str, int] = {}
    weekdays: dict[str, int] = {}
    unit: dict[str, str] = {}
    units: dict[str, str] = {}
    clock: dict[str, str] = {}
    season: dict[str, str] = {}
    shift: dict[str, int] = {}
    number: dict[str, int] = {}
    ordinal: dict[str, int] = {}
    relative_day: dict[str, int] = {}
    part: dict[str, str] = {}
    this_part: dict[str, str] = {}
    reference: dict[str, str] = {}
    holiday: dict[str, str] = {}
    every: dict[str, str] = {}


class Speech(_Words, frozen=True):
    """Who said what: words in lower case, by what they do in a clause that tells it."""

    cues: WordSet = WordSet()  # verbs of speech, all forms
    weak: WordSet = (
        WordSet()
    )  # cues that need a quotation beside them: too common otherwise for indirect speech
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
    oblique: WordSet = (
        WordSet()
    )  # determiners of no subject, so that the speaker is behind the cue: den Prozess nannte sie
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
    participle: str = ""  # endings
    adverb: str = ""
    verbal: str = ""
    bare_reports: bool = False
    dash: bool = False  # a dash at the head of a paragraph opens speech
    talks: bool = False  # such speech goes on behind the sentence that names the speaker
    late: bool = False  # the cue may end that sentence: – …, kaupunginjohtaja Aino Virtanen sanoo.


class Lost(_Words, frozen=True):
    """Words by which copy that lost something in transit is known.

    Links and bold text stripped by a filter take words with them, or leave the ending of one behind ("involving
    significant s,", "the council ed a law").
    """

    endings: tuple[str, ...]  # that are no word by themselves
    unended: frozenset[str]  # words that no clause ends with
    prepositions: frozenset[str]  # after a quoted adjective that stands where a noun must
    adjectives: frozenset[str]  # that are no nouns
    takers: frozenset[str]  # verbs and determiners that a noun must follow, before such an adjective
    never: dict[
        str, WordSet
    ]  # by word: what clean copy never has right after it, so that a noun or verb is gone


class Names(_Words, frozen=True):
    """Words beside names, in lower case."""

    roles: frozenset[str] = frozenset()  # before a person's name
    locating: frozenset[str] = frozenset()  # before a place's
    joins: tuple[str, ...] = ()  # within names: Ana de la Cruz
    nouns: bool = False  # every noun has a capital, so that a capital alone tells nothing


class Language(_Words, frozen=True):
    """``languages/<tag>.toml``: the words of one language. Only the calendar must be there.

    `topics` has by Media Topic the terms of its stories, separated by commas: they match without regard to case, a
    plural in -s matches its singular; "!" after a term makes it weigh more, as it hardly stands in other stories.
    """

    calendar: Calendar
    common: WordSet = WordSet()  # the commonest words: articles, prepositions, conjunctions, auxiliaries
    dates: Dates | None = None
    speech: Speech | None = None
    damage: Lost | None = None
    names: Names | None = None
    topics: dict[str, str] = {}


class Agency(_Words, frozen=True):
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


class OtherAgencies(_Words, frozen=True):
    """An ``[[other]]`` of ``agencies.toml``: agencies that send no dispatches."""

    names: tuple[str, ...] = ()
    desks: tuple[str, ...] = ()


class Agencies(_Words, frozen=True):
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


class TopicNames(_Words, frozen=True):
    """``topics.toml``: what belongs to no one language."""

    priors: dict[str, float]  # by topic
    sections: dict[str, str]  # by topic: what publishers call their sections, separated by commas


@cache
def languages() -> tuple[str, ...]:
    """The tags of the languages that have a file, in order."""
    return tuple(sorted(path.stem for path in (FOLDER / "languages").glob("*.toml")))


def language(tag: str) -> Language | None:
    """The words of a language by its primary subtag (BCP 47), or None where it has no file."""
    name = READ_AS.get(tag, tag)
    return _language(name) if name in languages() else None


@cache
def _language(tag: str) -> Language:
    return read_file(FOLDER / "languages" / f"{tag}.toml", Language)


def every_language() -> Iterator[tuple[str, Language]]:
    """Each language's tag and words."""
    for tag in languages():
        if words := language(tag):
            yield tag, words


@cache
def agencies() -> Agencies:
    """The agencies, none of which is told twice."""
    return read_agencies(FOLDER / "agencies.toml")


@cache
def topic_names() -> TopicNames:
    """The sections and priors of Media Topics."""
    return read_file(FOLDER / "topics.toml", TopicNames)


@cache
def macrolanguages() -> Mapping[str, WordSet]:
    """By language: the languages of ISO 639-3 that it stands for."""
    return read_file(FOLDER / "macrolanguages.toml", dict[str, WordSet])


# ---------------------------------------------------------------- reading


def read_file(path: Path, kind: type[File]) -> File:
    """A file of words as a struct of a kind.

    Raises:
        Misconfigured: it can't be read so; the message names file, line and key.
    """
    text = path.read_text("utf-8")
    try:
        return msgspec.convert(tomllib.loads(text), kind, dec_hook=_custom)
    except tomllib.TOMLDecodeError as error:
        line = _TOML_LINE.search(str(error))
        raise Misconfigured(f"{path}:{line[1] if line else len(text.splitlines())}: {error}") from error
    except msgspec.ValidationError as error:
        raise Misconfigured(_fault(path, text, str(error))) from error


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


def _custom(kind: type, value: Any) -> Any:
    """A value of one of the types above that msgspec doesn't know."""
    if not isinstance(value, str):
        raise TypeError(f"Expected `str`, got `{type(value).__name__}`")
    if kind is Template:
        return _template(value)
    if kind is WordSet:
        return WordSet(value.replace(";", " ").split())
    if kind is PhraseList:
        return PhraseList(filter(None, map(str.strip, value.split(";"))))
    try:
        re.compile(_PLACEHOLDER.sub("x", value.replace("\n", "")))
    except re.error as error:
        raise ValueError(f"Not a regular expression: {error}") from error
    return Pattern(value)


def _template(value: str) -> Template:
    unknown = set(re.findall(r"\{(\w*)\}", value)) - TEMPLATE_FIELDS
    if unknown:
        raise ValueError(f"Unknown field {{{min(unknown)}}}, known are {', '.join(sorted(TEMPLATE_FIELDS))}")
    return Template(value)


def _fault(path: Path, text: str, message: str) -> str:
    """One line for the operator: file, line, key, and what is wrong."""
    told = _FAULT.fullmatch(message)
    keys = _keys((told["path"] if told else "") or "")
    if told and (unknown := _UNKNOWN.fullmatch(told["problem"])):
        keys = (*keys, unknown[1])
    problem = told["problem"] if told else message
    key = ".".join(map(str, keys))
    return f"{path}:{line_of(text, keys)}: {key}: {problem}"


def _keys(path: str) -> tuple[str | int, ...]:
    """The keys of msgspec's path: ``.dates.rule[3].pattern``. It names no keys of tables with free keys."""
    parts = re.findall(r"\.(\w+)|\[(\d+)\]", path)
    return tuple(name or int(number) for name, number in parts)


def line_of(text: str, keys: tuple[str | int, ...]) -> int:
    """The number of the line, from 1, of the deepest key of a path that TOML text has."""
    best = (0, 1)
    counts: dict[str, int] = {}
    table: tuple[str | int, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            name = header[1].strip()
            table = tuple(part.strip().strip('"') for part in name.split("."))
            if line.startswith("[["):
                table = (*table, counts.get(name, 0))
                counts[name] = counts.get(name, 0) + 1
            place = table
        elif "=" in line:
            place = (*table, line.partition("=")[0].strip().strip('"'))
        else:
            continue
        if len(place) > best[0] and keys[: len(place)] == place:
            best = (len(place), number)
    return best[1]


def forms(words: Mapping[int, str] | tuple[str, ...], first: int = 0) -> Iterator[tuple[str, int]]:
    """Each form with the number of its word, counted from `first`."""
    for number, spellings in enumerate(words if isinstance(words, tuple) else words.values(), first):
        for form in spellings.split():
            yield form, number
