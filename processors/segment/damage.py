"""Damage that copy took in transit: words lost, characters mangled, tails cut, paragraphs doubled.

Filters that strip links and bold text take words with them, and what they leave behind breaks the grammar around
the gap: an opening quotation mark before a blank, an ending alone as a word, an article before a preposition, a
quoted adjective where a noun must stand. Only such breaks count; a false alarm is worse than a miss, so each rule
asks for a break that clean copy does not have. The words are data: `config.lexicon.DamageWords`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice, pairwise
from typing import Final

from config.lexicon import every_language, join_patterns, language
from config.word_files import WordSet
from processors.layout.line_kinds import ends_sentence
from processors.model.event import Damage, DamageKind, Segment

STOP_MARKS: Final = '.,;:!?)”"»'
PROSE_SEGMENTS: Final = frozenset({"paragraph", "caption"})
MIN_DOUBLED_CHARS: Final = (
    80  # of a paragraph that does not stand twice by chance; shorter ones are refrains and headings
)
MIN_CUT_CHARS: Final = 80  # of a last paragraph that is called cut; shorter ones are signatures and captions
MAX_PLACES: Final = 1_000  # of one kind in a paragraph; beyond that there is nothing new to tell
MAX_LOST_WORDS: Final = (
    12  # places of one text where words are lost; beyond that the rules misread it, and none counts
)

ENDING_AFTER: Final = r"(?<![\w'’.\-])[^\W\d_]{{2,}}(?P<gap> )(?P<end>{})(?=[ ,.;:!?)”\"»]|$)(?! ?[&'’])"
OPEN_QUOTE: Final = re.compile(
    r"(?:(?<![\w’'])(?P<before>[\w’']++) |(?<=[\s(]))“(?P<gap>[ \t]+)(?P<after>[^\W\d_]+)"
)
STRAIGHT_QUOTE: Final = re.compile(r"(?<![\w’'])(?P<before>[\w’']++) \"(?P<gap> )(?P<after>[^\W\d_]+)")
QUOTED_WORD: Final = re.compile(
    r"(?<![\w’'])(?P<before>[\w’']++) [“\"«‘](?P<word>[^\W\d_]+)[”\"»’](?P<gap> )(?P<after>[^\W\d_]+)"
)
EMPTY_MARKS: Final = re.compile(r"“\s*”|«\s*»|(?<=\s)\(\s+\)|\(\s*[,;](?=\s)|(?<=[a-z]),\s?,(?=\s)")
WORD: Final = re.compile(r"\S+")
ASIDE_PATTERN: Final = re.compile(r",\s+(?P<first>[^\W\d_]+)(?:\s+[\w'’-]+){0,4}(?P<closed>,)?")
REPLACEMENT_CHARACTER: Final = re.compile(r"\ufffd+")
LETTER_LOST: Final = re.compile(r"(?<![/?=&.\w])[^\W\d_]+\?[^\W\d_a-z]*[a-zà-ÿ]+(?:\?[a-zà-ÿ]+)*(?![/?=&\w])")
MAY_BE_MOJIBAKE: Final = re.compile(r"[ÃÂâÐÑÅÄÎÏØÙ][\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ\u00a0]")
DOUBLE_COMMA: Final = re.compile(r",\s?,")  # what `EMPTY_MARKS` has beside quotation marks and brackets
GLUED_FIGURE: Final = re.compile(r"\d(?:pct|mln)?[A-Z][a-z]{2}")  # what `RUN_TOGETHER` has at least
RUN_TOGETHER: Final = re.compile(r"(?<=\s)[\d.,]*\d(?:pct|mln)?(?![KMGT](?:bps|bit|byte|Hz))[A-Z][a-z]{2,}")
CODE_MARK: Final = re.compile(
    r"->|=>|::|==|`|</|[{}\\]| = "
)  # programs and formulas have words of one letter


DamageRule = tuple[DamageKind, Callable[[str], Iterator[tuple[int, int]]]]


@dataclass(frozen=True, slots=True)
class DamageGrammar:
    """What can't stand where, in one language: see `config.lexicon.DamageWords`."""

    endings: frozenset[str]
    ending: re.Pattern[str]
    never: dict[str, WordSet]
    unended: frozenset[str]
    clause_openers: frozenset[str]
    prepositions: frozenset[str]
    adjectives: frozenset[str]
    takers: frozenset[str]


@cache
def damage_grammar(tag: str) -> DamageGrammar | None:
    """What a language's words tell (its first subtag), or None where there are none."""
    words = language(tag)
    if words is None or words.damage is None:
        return None
    lost = words.damage
    endings = sorted(lost.endings, key=len, reverse=True)
    return DamageGrammar(
        frozenset(endings),
        re.compile(ENDING_AFTER.format("|".join(endings))),
        lost.never,
        lost.unended,
        lost.clause_openers,
        lost.prepositions,
        lost.adjectives,
        lost.takers,
    )


@cache
def _lone_title() -> re.Pattern[str]:
    """A title that no name follows, in any language."""
    every = [words.damage for _, words in every_language() if words.damage]
    titles, after = (
        join_patterns(lost.lone_titles for lost in every),
        join_patterns(lost.after_titles for lost in every),
    )
    return re.compile(rf"\b(?:{titles})\.? (?=(?:{after})\b)")


@cache
def _sum_without_figure() -> re.Pattern[str]:
    sums = join_patterns(words.damage.sums for _, words in every_language() if words.damage)
    return re.compile(rf"(?<=[$€£]) (?=(?:{sums})\b)")


def find_damage(text: str, segments: tuple[Segment, ...], tag: str = "") -> tuple[Damage, ...]:
    """The damaged places of a segmented text, in order, none within another."""
    grammar = damage_grammar(tag.partition("-")[0].lower())
    rules = _rules_for(text, grammar)
    damages: list[Damage] = []
    for segment in segments if rules else ():
        if segment.kind in PROSE_SEGMENTS:
            words = text[segment.start : segment.end]
            code = CODE_MARK.search(words) is not None
            for kind, rule in rules:
                if not (code and kind == "missing-words"):
                    damages += _damages_at(kind, segment.start, islice(rule(words), MAX_PLACES))
    damages += _find_doubled_paragraphs(text, segments)
    damages += _find_cut_end(text, segments)
    return _without_overlaps(_without_doubtful(damages))


def _rules_for(text: str, grammar: DamageGrammar | None) -> list[DamageRule]:
    """The rules that can find anything in the text, by what they need anywhere in it: most copy needs none."""
    rules: list[DamageRule] = []
    if "“" in text or "«" in text or "(" in text or DOUBLE_COMMA.search(text):
        rules.append(("missing-words", _find_empty_marks))
    if "$ " in text or "€ " in text or "£ " in text:
        rules.append(("missing-words", _find_lone_sums))
    if grammar is not None:
        rules += [
            ("missing-words", partial(rule, grammar=grammar)) for rule in _rules_of_words(text, grammar)
        ]
    if not text.isascii() or "?" in text:
        rules.append(("mojibake", _find_mojibake))
    if GLUED_FIGURE.search(text):
        rules.append(("garbled", _find_glued_rows))
    return rules


def _rules_of_words(text: str, grammar: DamageGrammar) -> Iterator[Callable[..., Iterator[tuple[int, int]]]]:
    """The rules of a language's words that can find anything in the text."""
    if "Mr" in text or "Ms" in text:
        yield _find_lone_titles
    if "“ " in text or ' " ' in text or "”" in text or '"' in text or "»" in text or "’" in text:
        yield _find_broken_quotes
    low = text.lower().split()
    tokens = set(low)
    stopped = [token for token in tokens if token[-1] in STOP_MARKS]
    if not grammar.endings.isdisjoint(tokens) or any(
        token.rstrip(STOP_MARKS) in grammar.endings for token in stopped
    ):
        yield _find_lone_endings
    never = grammar.never
    if [1 for before, after in pairwise(low) if before in never and after in never[before]]:
        yield _find_impossible_pairs
    if any(token[:-1] in grammar.unended for token in stopped):
        yield _find_open_clauses


def _without_doubtful(damages: list[Damage]) -> list[Damage]:
    """Without lone letters where there are several (names of variables), or lost words where there are too many."""
    letters = list(filter(_is_letter, damages))
    kept = damages if len(letters) < 2 else [damage for damage in damages if not _is_letter(damage)]
    lost = sum(damage.kind == "missing-words" for damage in kept)
    return kept if lost <= MAX_LOST_WORDS else [damage for damage in kept if damage.kind != "missing-words"]


def _is_letter(damage: Damage) -> bool:
    return damage.kind == "missing-words" and damage.end - damage.start == 1


def _damages_at(kind: DamageKind, offset: int, spans: Iterable[tuple[int, int]]) -> list[Damage]:
    return [Damage(offset + start, offset + end, kind) for start, end in spans]


def _without_overlaps(damages: list[Damage]) -> tuple[Damage, ...]:
    """In order; of two that overlap, the first."""
    kept: list[Damage] = []
    for damage in sorted(damages, key=lambda damage: (damage.start, damage.end)):
        if not kept or damage.start >= kept[-1].end:
            kept.append(damage)
    return tuple(kept)


def _find_empty_marks(words: str) -> Iterator[tuple[int, int]]:
    """Brackets and quotation marks around nothing."""
    return (match.span() for match in EMPTY_MARKS.finditer(words))


def _find_lone_sums(words: str) -> Iterator[tuple[int, int]]:
    """Sums without their figure."""
    return (match.span() for match in _sum_without_figure().finditer(words))


def _find_lone_titles(words: str, grammar: DamageGrammar) -> Iterator[tuple[int, int]]:  # noqa: ARG001  asked as its like
    """Titles without a name."""
    return (match.span() for match in _lone_title().finditer(words))


def _find_lone_endings(words: str, grammar: DamageGrammar) -> Iterator[tuple[int, int]]:
    """An ending alone, as a word."""
    if grammar.endings.isdisjoint(token.rstrip(STOP_MARKS) for token in words.lower().split()):
        return
    for match in grammar.ending.finditer(words):
        if len(match["end"]) > 1 or match[0][0].islower():
            yield match.span("end")


def _find_broken_quotes(words: str, grammar: DamageGrammar) -> Iterator[tuple[int, int]]:
    """A quotation that opens onto a blank; a quoted adjective that a preposition follows."""
    if "“ " in words:
        for match in OPEN_QUOTE.finditer(words):
            before = (match["before"] or "").lower()
            if match["after"] in grammar.prepositions or (
                before in grammar.takers or before in grammar.never
            ):
                yield match.start("gap") - 1, match.end("gap")
    if ' " ' in words:
        for match in STRAIGHT_QUOTE.finditer(words):
            if match["after"] in grammar.prepositions and match["before"].lower() in grammar.takers:
                yield match.start("gap") - 1, match.end("gap")
    if any(mark in words for mark in '”"»’'):
        for match in QUOTED_WORD.finditer(words):
            if (
                match["word"] in grammar.adjectives
                and match["after"] in grammar.prepositions
                and match["before"] in grammar.takers
            ):
                yield match.start("word"), match.end("gap")


def _find_impossible_pairs(words: str, grammar: DamageGrammar) -> Iterator[tuple[int, int]]:
    """Two words that never stand side by side: what stood between them is gone."""
    last = None
    for token in WORD.finditer(words):
        if last and token.group() in grammar.never.get(last.group(), ()):
            yield last.end(), token.start()
        last = token


def _find_open_clauses(words: str, grammar: DamageGrammar) -> Iterator[tuple[int, int]]:
    """A clause that ends in an article or preposition.

    A comma behind one may open what speech and clauses put in between: "your, well, question", "dem, was er sah".
    """
    for token in re.finditer(r"(?<=[a-zà-ÿ]\s)([^\W\d_]+)(?=[.,;!?](?:\s|$))", words):
        if token.group() in grammar.unended:
            aside = ASIDE_PATTERN.match(words, token.end())
            if not aside or not (aside["closed"] or aside["first"].lower() in grammar.clause_openers):
                yield token.end(), token.end()


def _find_mojibake(words: str) -> Iterator[tuple[int, int]]:
    """Characters that a wrong decoder made, or that a narrow one dropped."""
    if words.isascii():
        if "?" in words and len(lost := list(islice(LETTER_LOST.finditer(words), MAX_PLACES))) > 1:
            yield from (match.span() for match in lost)
        return
    yield from (match.span() for match in REPLACEMENT_CHARACTER.finditer(words))
    if MAY_BE_MOJIBAKE.search(words):
        yield from _find_mangled_words(words)


def _find_mangled_words(words: str) -> Iterator[tuple[int, int]]:
    """Words that a wrong decoder made."""
    from ftfy.badness import is_bad

    for match in WORD.finditer(words):
        word = match.group()
        if not word.isascii() and MAY_BE_MOJIBAKE.search(word) and is_bad(word):
            yield match.span()


def _find_glued_rows(words: str) -> Iterator[tuple[int, int]]:
    """Figures of a table run into the words of the next row."""
    glued = list(RUN_TOGETHER.finditer(words))
    if len(glued) > 2:
        yield glued[0].start(), glued[-1].end()


def _find_doubled_paragraphs(text: str, segments: tuple[Segment, ...]) -> Iterator[Damage]:
    """Paragraphs that stood before."""
    seen: set[str] = set()
    for segment in segments:
        if segment.kind == "paragraph" and segment.end - segment.start >= MIN_DOUBLED_CHARS:
            words = " ".join(text[segment.start : segment.end].split())
            if words in seen and words[-1] != ":" and ends_sentence(words) and not CODE_MARK.search(words):
                yield Damage(segment.start, segment.end, "garbled")
            seen.add(words)


def _find_cut_end(text: str, segments: tuple[Segment, ...]) -> Iterator[Damage]:
    """The last paragraph breaks off within a sentence, while all before it end theirs."""
    prose = [text[s.start : s.end] for s in segments if s.kind == "paragraph"]
    if not segments or segments[-1].kind != "paragraph" or len(prose) < 3 or len(prose[-1]) < MIN_CUT_CHARS:
        return
    last = prose[-1].rstrip()
    if all(map(ends_sentence, prose[:-1])) and re.search(r"\s[a-zà-ÿ]+,?$", last):
        yield Damage(segments[-1].end, segments[-1].end, "truncated")
