"""What a story says of itself: that it updates, corrects or kills another, how urgent it is, until when it is held.

Agencies say so in the headline (``UPDATE 2-``), the slug line (``2nd Ld-Writethru``), the editors' note and the
first lines of the copy (``== Corrects … ==``). Only these are looked at. The words are data, by language
(`config.lexicon.Version`); a pattern is tried only where one of its words stands, so that ordinary copy
costs some microseconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final, get_args

from config.lexicon import Version, VersionPlace, VersionRelation, every_language, join_patterns
from config.tables import signal_codes
from processors.dates.embargo import Embargoes
from processors.layout.dateline import home_zone
from processors.model.story import Named, Story
from processors.notices import MAX_NOTICE_CHARS, find_kill, notice_words

HEAD_CHARS: Final = 400  # of the text
HEAD_LINES: Final = 6
LINE_CHARS: Final = 300
NOTE_CHARS: Final = 1000
NAMED_CHARS: Final = 1500  # of the text, where an advisory names its story

_STRENGTH: Final[dict[VersionRelation, int]] = {"update": 1, "correction": 2, "kill": 3}
_BY_STRENGTH: Final = {strength: relation for relation, strength in _STRENGTH.items()}
_WORD: Final = re.compile(r"[\w·]+")
_SIGNAL: Final = re.compile(r"(?:/newscodes/signal/|^sig:)([A-Za-z]+)$")
_ASCII_WORDS: Final = (
    "".join(chr(code).lower() if chr(code).isalnum() or code == ord("_") else " " for code in range(128))
    .encode()
    .ljust(256)
)
_MACROS: Final = {
    "{open}": r"^[\s(\[{^=*+【（［〔「“\"'«<—–-]*",
    "{paren}": r"^\s*+(?:[(\[【（［]|==|\*\*)[\s=*]*+",
    "{close}": r"(?=\s*[-–—:;)\]}/.,=!*】）］〕」：]|[^\S\n]*(?:\n|\Z))",
    "{ord}": r"{n}(?:st|nd|rd|th)",
}


@dataclass(frozen=True, slots=True)
class Signals:
    """What the conventions say; None where they say nothing.

    `sequence` is the number in the mark (2 of ``UPDATE 2-``), `urgency` that of ninjs (1 to 9), `embargoed_until`
    RFC 3339 in UTC; `embargoed` holds also where the time can't be resolved. `names` is the headline that an
    advisory, correction or kill names. `advisory`: the item is about a story, and no story of its own.
    """

    relation: VersionRelation | None = None
    sequence: int | None = None
    urgency: int | None = None
    embargoed_until: str | None = None
    names: str | None = None
    advisory: bool = False
    embargoed: bool = False


NO_SIGNALS: Final = Signals()


@dataclass(frozen=True, slots=True)
class _Mark:
    """A convention: how it is written and what it says."""

    pattern: re.Pattern[str]
    relation: VersionRelation | None
    sequence: int | None
    urgency: int | None
    advisory: bool


@dataclass(frozen=True, slots=True)
class _Lexicon:
    marks: tuple[_Mark, ...]
    by_word: dict[
        VersionPlace, dict[str, tuple[int, ...]]
    ]  # a word that stands there → the marks to try there
    words: frozenset[str]
    ascii_words: frozenset[bytes]  # those of them that can stand in ASCII
    names: tuple[re.Pattern[str], ...]
    codes: Mapping[str, VersionRelation]  # a code of the scheme "signal" → what it says
    embargoes: Embargoes


def read_signals(
    *,
    headline: str,
    slugline: str = "",
    ed_note: str = "",
    text: str = "",
    language: str = "",
    reference: str | None = None,
    genres: Sequence[Named] = (),
    sources: tuple[str, ...] = (),
) -> Signals:
    """What headline, slug line, editors' note and the head of the text say of the story, and the publisher's codes.

    `reference` is the item's own date (RFC 3339), by which an embargo "until Monday" is resolved. `language` (a
    BCP 47 tag) decides how an embargo's numeric date reads: 3/4 is 4 March in American copy only. Of `genres` those
    count that are NewsCodes of the scheme "signal" (NewsML-G2, <signal>). `sources` are the names of who sent the item:
    only its own agency withdraws a story.
    """
    lexicon = _lexicon()
    coded = _coded(lexicon, genres) if genres else None
    note, head = ed_note[:NOTE_CHARS], text[:HEAD_CHARS]
    if coded is None and not _may_say(headline, slugline, note, text[: MAX_NOTICE_CHARS + 1]):
        return NO_SIGNALS
    words, said = _said(headline, slugline, note, head)
    kills = _kills(headline, slugline, note, text[: MAX_NOTICE_CHARS + 1], sources)
    if not words and coded is None and not kills:
        return NO_SIGNALS
    embargo = None
    if not words.isdisjoint(lexicon.embargoes.words):
        lines = (headline.strip(), note.strip(), *_lines(head))
        embargo = lexicon.embargoes.find_embargo(lines, language, reference, lambda: home_zone(head))
    if not said and coded is None and embargo is None and not kills:
        return NO_SIGNALS
    signals = _joined(said, "kill" if kills else coded)
    names = None
    if signals.advisory or signals.relation in {"correction", "kill"}:
        names = _named(lexicon, (headline, note, text[:NAMED_CHARS]))
    return Signals(
        relation=signals.relation,
        sequence=signals.sequence,
        urgency=signals.urgency,
        embargoed_until=embargo.until if embargo else None,
        names=names,
        advisory=signals.advisory,
        embargoed=embargo is not None,
    )


def source_names(story: Story) -> tuple[str, ...]:
    """The names of who sent a story, as it says itself."""
    return tuple(source.name for source in story.info_sources if source.name)


@lru_cache(maxsize=256)  # normalise and deduplicate ask for the same stories soon after each other
def _may_say(headline: str, slugline: str, note: str, text: str) -> bool:
    """Whether a word stands there without which nothing is said: in three of four stories none does."""
    string = _join_parts(headline, slugline, note, text)
    if string.isascii():
        return not _ascii_words().isdisjoint(_split_ascii(string))
    return not (_lexicon().words | notice_words()).isdisjoint(_WORD.findall(string.lower()))


@lru_cache(maxsize=256)
def _said(
    headline: str, slugline: str, note: str, head: str
) -> tuple[frozenset[str], tuple[tuple[_Mark, re.Match[str]], ...]]:
    """The lexicon's words that stand in the strings, and the conventions that do."""
    lexicon = _lexicon()
    strings: tuple[tuple[VersionPlace, str], ...] = (
        ("headline", headline), ("slug", slugline), ("note", note), ("line", head)
    )  # fmt: skip
    found_words: frozenset[str] = frozenset()
    said: list[tuple[_Mark, re.Match[str]]] = []
    for where, string in strings:
        if words := _words_in(lexicon, string):
            found_words |= words
            said += _matches(lexicon, where, string, words)
    return found_words, tuple(said)


@lru_cache(maxsize=256)
def _kills(headline: str, slugline: str, note: str, text: str, sources: tuple[str, ...]) -> bool:
    """Whether the item is a notice that kills; `text` is all of a short one, and more than `MAX_NOTICE_CHARS` of others."""
    string = _join_parts(headline, slugline, note, text)
    if string.isascii():
        words = _ascii_notice_words().intersection(_split_ascii(string))
        standing = frozenset(map(bytes.decode, words))
    else:
        standing = notice_words().intersection(_WORD.findall(string.lower()))
    return bool(standing) and find_kill(headline, slugline, note, text, standing, sources) is not None


def _join_parts(headline: str, slugline: str, note: str, text: str) -> str:
    """The parts of an item where its words are looked at."""
    head = text if len(text) <= MAX_NOTICE_CHARS else text[:HEAD_CHARS]
    return f"{headline}\n{slugline}\n{note}\n{head}"


def _split_ascii(string: str) -> list[bytes]:
    """The words of a string in ASCII, in small letters."""
    return string.encode().translate(_ASCII_WORDS).split()


def _matches(
    lexicon: _Lexicon, where: VersionPlace, string: str, words: frozenset[str]
) -> Iterator[tuple[_Mark, re.Match[str]]]:
    """The conventions that stand in a string, of those that its words may tell."""
    by_word = lexicon.by_word[where]
    indices = sorted({index for word in words for index in by_word.get(word, ())})
    if not indices:
        return
    parts = [string.strip()]
    if where == "line":
        parts = [line for line in _lines(string) if any(word in line.lower() for word in words)]
    for mark in map(lexicon.marks.__getitem__, indices):
        if match := next(filter(None, map(mark.pattern.search, parts)), None):
            yield mark, match


def _words_in(lexicon: _Lexicon, string: str) -> frozenset[str]:
    """The lexicon's words that stand in a string: of ASCII by a table, which takes a third of the pattern's time."""
    if not string.isascii():
        return lexicon.words.intersection(_WORD.findall(string.lower()))
    words = lexicon.ascii_words.intersection(_split_ascii(string))
    return frozenset(map(bytes.decode, words)) if words else frozenset()


def _lines(head: str) -> Iterator[str]:
    """The first lines that are not blank; a line with its next one, since notes are wrapped."""
    lines = [line.strip() for line in head.splitlines() if line.strip()][:HEAD_LINES]
    for number, line in enumerate(lines):
        following = lines[number + 1 : number + 3]
        yield "\n".join((line, *following))[:LINE_CHARS] if len(line) < 90 else line[:LINE_CHARS]


def _coded(lexicon: _Lexicon, genres: Sequence[Named]) -> VersionRelation | None:
    """The strongest relation that signals of the publisher tell: by URI, or as the QCode of an unknown catalogue."""
    matches = [match for genre in genres if (match := _SIGNAL.search(genre.uri or genre.literal or ""))]
    relations = [lexicon.codes[code] for match in matches if (code := match[1].lower()) in lexicon.codes]
    return max(relations, key=_STRENGTH.__getitem__, default=None)


def _joined(said: Sequence[tuple[_Mark, re.Match[str]]], coded: VersionRelation | None) -> Signals:
    """The strongest relation, the highest sequence, the most urgent priority."""
    relations: list[VersionRelation] = [mark.relation for mark, _ in said if mark.relation]
    relations += [coded] if coded else []
    sequences = [number for mark, match in said if (number := _sequence(mark, match)) is not None]
    urgencies = [mark.urgency for mark, _ in said if mark.urgency]
    strongest = max(map(_STRENGTH.__getitem__, relations), default=0)
    return Signals(
        relation=_BY_STRENGTH.get(strongest),
        sequence=max(sequences, default=None),
        urgency=min(urgencies, default=None),
        advisory=any(mark.advisory for mark, _ in said),
    )


def _sequence(mark: _Mark, match: re.Match[str]) -> int | None:
    numbers = [int(number) for number in match.groups() if number is not None]
    return numbers[0] if numbers else mark.sequence


def _named(lexicon: _Lexicon, strings: tuple[str, ...]) -> str | None:
    for string in strings:
        for pattern in lexicon.names:
            if match := pattern.search(string):
                return " ".join(match["name"].split()).rstrip(",;")
    return None


# ---------------------------------------------------------------- the words


@cache
def _ascii_notice_words() -> frozenset[bytes]:
    return frozenset(word.encode() for word in notice_words() if word.isascii())


@cache
def _ascii_words() -> frozenset[bytes]:
    """The words of conventions and notices that can stand in ASCII."""
    return _lexicon().ascii_words | _ascii_notice_words()


@cache
def _lexicon() -> _Lexicon:
    """The words of every language, compiled once a process."""
    versions = [version for _, words in every_language() for version in words.version]
    embargoes = Embargoes(_compiled)
    words = embargoes.words.union(*(version.words for version in versions))
    return _Lexicon(
        marks=tuple(map(_mark, versions)),
        by_word={where: _by_word(where, versions) for where in get_args(VersionPlace)},
        words=words,
        ascii_words=frozenset(word.encode() for word in words if word.isascii()),
        names=_story_names(),
        codes=signal_codes(),
        embargoes=embargoes,
    )


def _by_word(where: VersionPlace, versions: Sequence[Version]) -> dict[str, tuple[int, ...]]:
    """The versions that may stand in a place, by each of their words."""
    indices: dict[str, list[int]] = {}
    for index, version in enumerate(versions):
        for word in version.words if where in version.where else ():
            indices.setdefault(word, []).append(index)
    return {word: tuple(numbers) for word, numbers in indices.items()}


def _mark(version: Version) -> _Mark:
    return _Mark(
        _compiled(version.pattern), version.relation, version.sequence, version.urgency, version.advisory
    )


def _story_names() -> tuple[re.Pattern[str], ...]:
    """Patterns of a headline that is named, as the group ``name``: the surest first."""
    names = [words.story_names for _, words in every_language()]
    titled, nouns = (
        join_patterns(words.titled for words in names),
        join_patterns(words.nouns for words in names),
    )
    before_bracket = join_patterns(words.before_bracket for words in names)
    patterns = (
        rf"""\b(?:{titled})[,:]?\s*(?:[“„«»"‘]|``|<<)\s*(?P<name>[^“”„«»"]{{8,200}}?)\s*,?\s*(?:[”“»«"]|''|>>)""",
        rf"""\b(?:{nouns})\b[^.\n“"„«]{{0,60}}(?:[“„«"])\s*(?P<name>[^“”„«»"]{{8,200}}?)\s*,?\s*[”“»"]""",
        rf"(?:{before_bracket})[^\n]{{0,4}}[「『“](?P<name>[^」』”\n]{{4,120}})[」』”]",
    )
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)


@cache
def _opened_to_editors() -> str:
    """The start of a line, after it has been addressed to editors in any language, or not."""
    editors = join_patterns(words.editors for _, words in every_language())
    return rf"^[\s(\[*=+–—-]*(?:(?:{editors})\b[^.:!\n]{{0,60}}[.:!]\s*)?"


def _compiled(pattern: str) -> re.Pattern[str]:
    """The pattern with its macros written out; the groups are the version's number, or ``name``."""
    if "{editors}" in pattern:
        pattern = pattern.replace("{editors}", _opened_to_editors())
    for macro, expansion in _MACROS.items():
        pattern = pattern.replace(macro, expansion)
    return re.compile(pattern.replace("{n}", r"(\d{1,2})"), re.IGNORECASE)
