"""Damage that copy took in transit: words lost, characters mangled, tails cut, paragraphs doubled.

Filters that strip links and bold text take words with them, and what they leave behind breaks the grammar around
the gap: an opening quotation mark before a blank, an ending alone as a word, an article before a preposition, a
quoted adjective where a noun must stand. Only such breaks count; a false alarm is worse than a miss, so each rule
asks for a break that clean copy does not have. The words are data: `config.lexicon.DamageWords`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
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
# An aside may be as long as "según informaron fuentes del Ministerio de Defensa de aquel país".
ASIDE_PATTERN: Final = re.compile(r",\s+(?P<first>[^\W\d_]+)(?:\s+[\w'’-]+){0,14}(?P<closed>,| [–—-] )?")
NOT_MONEY_BEFORE: Final = frozenset({"in", "us", "per"})  # "all figures in $ million"
MAX_BOXES: Final = 1  # empty brackets of a paragraph; several are boxes to tick
MAX_LIST_MARKS: Final = 2  # semicolons of a sentence; with more it is a list, whose rows may lack something
MAX_SPACED_STOPS: Final = 3  # stops behind a blank; with more, that is how the text sets them
REPLACEMENT_CHARACTER: Final = re.compile(r"\ufffd+")
LETTER_LOST: Final = re.compile(r"(?<![/?=&.\w])[^\W\d_]+\?[^\W\d_a-z]*[a-zà-ÿ]+(?:\?[a-zà-ÿ]+)*(?![/?=&\w])")
MAY_BE_MOJIBAKE: Final = re.compile(r"[ÃÂâÐÑÅÄÎÏØÙ][\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ\u00a0]")
SENTENCE_BREAK: Final = re.compile(r"[a-zà-ÿ]{3}[.!?][”\"]?\s+[^\Wa-z\d_]")
MAX_CLAUSE_CHARS: Final = 200  # before a place, that are looked at
QUOTATION_MARKS: Final = re.compile('[“”„«»"]')
CLOSED_BY: Final = {"“": "”", "„": "“”", "«": "»", '"': '"'}
OPENING_MARKS: Final = "“„«\"'‘‹"
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
    letter_takers: frozenset[str]
    flat: frozenset[str]
    asides: frozenset[str]
    gaps: re.Pattern[str]


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
        lost.letter_takers,
        lost.flat,
        lost.asides,
        re.compile(lost.gaps),
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
    damages += _find_cut_end(text, segments, grammar)
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
    never = grammar.never
    tokens = set(low)
    stopped = [token for token in tokens if token[-1] in STOP_MARKS]
    if not grammar.endings.isdisjoint(tokens) or any(
        token.rstrip(STOP_MARKS) in grammar.endings for token in stopped
    ):
        yield _find_lone_endings
    if [1 for before, after in pairwise(low) if before in never and after in never[before]]:
        yield _find_impossible_pairs
    if any(token[:-1] in grammar.unended for token in stopped):
        yield _find_open_clauses
    if grammar.gaps.search(text):
        yield _find_gaps


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
    found = list(islice(EMPTY_MARKS.finditer(words), MAX_PLACES))
    boxes = sum(match[0].startswith("(") for match in found)
    is_list = words.count(";") > MAX_LIST_MARKS
    for match in found:
        if not (match[0].startswith("(") and boxes > MAX_BOXES) and not (
            match[0].startswith(",") and is_list
        ):
            yield match.span()


def _find_lone_sums(words: str) -> Iterator[tuple[int, int]]:
    """Sums without their figure, but for units: "figures in $ million"."""
    for match in _sum_without_figure().finditer(words):
        before = words[max(0, match.start() - MAX_CLAUSE_CHARS) : match.start() - 1].split()[-1:]
        is_glued = match.start() > 1 and not words[match.start() - 2].isspace()
        if before and before[0].isalpha() and not is_glued and before[0].lower() not in NOT_MONEY_BEFORE:
            yield match.span()


def _find_lone_titles(words: str, grammar: DamageGrammar) -> Iterator[tuple[int, int]]:  # noqa: ARG001  asked as its like
    """Titles without a name."""
    return (match.span() for match in _lone_title().finditer(words))


def _find_lone_endings(words: str, grammar: DamageGrammar) -> Iterator[tuple[int, int]]:
    """An ending alone, as a word: behind an adjective or a number a letter, before an object or a stop a longer one."""
    if grammar.endings.isdisjoint(token.rstrip(STOP_MARKS) for token in words.lower().split()):
        return
    for match in grammar.ending.finditer(words):
        before = match[0].split()[0].lower()
        if len(match["end"]) > 1:
            after = WORD.match(words, match.end() + 1)
            if (
                after is None
                or words[match.end()] in STOP_MARKS
                or not grammar.never.keys().isdisjoint({after.group().lower()})
                or after.group().lower() in grammar.prepositions
            ):
                yield match.span("end")
        elif before in grammar.adjectives or (
            before in grammar.takers and before not in grammar.letter_takers
        ):
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
                and not (match["word"] in grammar.flat and match["before"] not in grammar.never)
            ):
                yield match.start("word"), match.end("gap")


def _find_impossible_pairs(words: str, grammar: DamageGrammar) -> Iterator[tuple[int, int]]:
    """Two words that never stand side by side: what stood between them is gone. Speech is too free for that."""
    tokens = list(WORD.finditer(words))
    quotations = _Quotations(words)
    for place, (first, second) in enumerate(pairwise(tokens)):
        word = first.group()
        if len(word) > 1 and word[0].isupper() and (not place or tokens[place - 1].group()[-1] in ".!?”:"):
            word = word.lower()
        if second.group() in grammar.never.get(word, ()) and not quotations.hold(second.start()):
            third = tokens[place + 2].group().rstrip(STOP_MARKS).lower() if place + 2 < len(tokens) else ""
            if third not in grammar.asides:
                yield first.end(), second.start()


def _find_open_clauses(words: str, grammar: DamageGrammar) -> Iterator[tuple[int, int]]:
    """A clause that ends in an article or preposition.

    A comma behind one may open what speech and clauses put in between: "your, well, question", "dem, was er sah".
    """
    quotations = _Quotations(words)
    for token in re.finditer(r"(?<=[a-zà-ÿ]\s)([^\W\d_]+)(?=[.,;](?:\s|$))", words):
        if token.group() in grammar.unended and not quotations.hold(token.start()):
            aside = ASIDE_PATTERN.match(words, token.end())
            first = aside["first"].lower() if aside else ""
            comma = words.rfind(", ", max(0, token.start() - MAX_CLAUSE_CHARS), token.start())
            before = WORD.match(words, comma + 2) if comma >= 0 else None
            if before and before.group().lower() in grammar.clause_openers:
                continue  # an aside ends here: "at the, or close to the, harbour"
            if not aside or not (
                aside["closed"] or first in grammar.clause_openers or first == token.group()
            ):
                yield token.end(), token.end()


def _find_gaps(words: str, grammar: DamageGrammar) -> Iterator[tuple[int, int]]:
    """What a language's own pattern tells; not where all stops stand behind blanks."""
    if words.count(" ,") + words.count(" .") <= MAX_SPACED_STOPS:
        quotations = _Quotations(words)
        for match in grammar.gaps.finditer(words):
            if not quotations.hold(match.start()):
                yield match.end() - 1, match.end()


class _Quotations:
    """Where a paragraph's quotation marks open and close; a place lies within where an odd number stands before it."""

    def __init__(self, words: str) -> None:
        self._turns: list[int] = []
        closing = ""
        for mark in QUOTATION_MARKS.finditer(words):
            if not closing and mark.group() in CLOSED_BY:
                closing = CLOSED_BY[mark.group()]
            elif mark.group() in closing:
                closing = ""
            else:
                continue
            self._turns.append(mark.start())

    def hold(self, at: int) -> bool:
        return bisect_left(self._turns, at) % 2 == 1


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
    """Paragraphs that stand twice on end, or again in the order in which they stood.

    A paragraph alone that stands again further down is a refrain, a standing line, or a quotation pulled out.
    """
    prose = [(s, " ".join(text[s.start : s.end].split())) for s in segments if s.kind == "paragraph"]
    first: dict[str, int] = {}
    again = [first.setdefault(words, place) for place, (_, words) in enumerate(prose)]
    for place, (segment, words) in enumerate(prose):
        before = again[place]
        if before == place or len(words) < MIN_DOUBLED_CHARS or not _is_plain_prose(words):
            continue
        follows = again[place - 1] == before - 1 and again[place - 1] != place - 1
        leads = place + 1 < len(prose) and again[place + 1] == before + 1 != place + 1
        if prose[place - 1][1] == words or follows or leads:
            yield Damage(segment.start, segment.end, "garbled")


def _is_plain_prose(words: str) -> bool:
    """Whether a paragraph has no reason to stand twice: it is no question, quotation, heading or code."""
    is_quotation = words[0] in OPENING_MARKS and words[-1] in STOP_MARKS
    return words[-1] not in ":?" and ends_sentence(words) and not is_quotation and not CODE_MARK.search(words)


def _find_cut_end(
    text: str, segments: tuple[Segment, ...], grammar: DamageGrammar | None
) -> Iterator[Damage]:
    """The last paragraph breaks off within a sentence, while all before it end theirs.

    A line without a stop may be a title or an address. It is cut where a sentence goes before the last one, or the last
    word can end none.
    """
    prose = [text[s.start : s.end] for s in segments if s.kind == "paragraph"]
    if not segments or segments[-1].kind != "paragraph" or len(prose) < 3 or len(prose[-1]) < MIN_CUT_CHARS:
        return
    last = prose[-1].rstrip()
    if all(map(ends_sentence, prose[:-1])) and (end := re.search(r"\s([a-zà-ÿ]+)(,?)$", last)):
        opens = grammar is not None and (end[1] in grammar.never or end[1] in grammar.prepositions)
        if end[2] or opens or SENTENCE_BREAK.search(last):
            yield Damage(segments[-1].end, segments[-1].end, "truncated")
