"""Indirect speech: what somebody is said to have said, without quotation marks.

Three forms are read: "X said (that) …" to the end of the sentence, "…, X said" from its start, and "According to X,
…". Sentences with quotation marks in the words reported are left to the quotations themselves.
"""

from __future__ import annotations

from collections.abc import Iterator

from processors.quotes.attribution import Attribution, Clause
from processors.quotes.lexicon import SpeechLexicon
from processors.quotes.tokens import Token

MIN_REPORT_WORDS = 3  # fewer are "said so", "said no"
MAX_OBJECT_TOKENS = 4  # between a cue and its "that": told reporters in Oslo that
CLOSING_MARKS = frozenset(".!?…")


def find_indirect(clause: Clause, words: SpeechLexicon) -> Iterator[tuple[int, int, Attribution]]:
    """The reports of one sentence as [start, end) in the text with their attribution; at most one a sentence."""
    for attribution in clause.attributions:
        if attribution.source is None or attribution.weak or attribution.cue is None:
            continue
        for first, last in (
            _report_after(clause, attribution, words),
            _report_before(clause, attribution, words),
        ):
            report = clause.tokens[first : last + 1]
            if sum(token.kind == "word" for token in report) >= MIN_REPORT_WORDS and not _has_quotation(
                report
            ):
                yield report[0].start, report[-1].end, attribution
                return


def _has_quotation(tokens: list[Token]) -> bool:
    return any(token.kind == "quote" for token in tokens)


def _last_word(tokens: list[Token]) -> int:
    """The last token of a sentence that is no full stop."""
    last = len(tokens) - 1
    while last >= 0 and tokens[last].kind == "mark" and tokens[last].low in CLOSING_MARKS:
        last -= 1
    return last


NO_REPORT = (0, -1)


def _report_after(clause: Clause, attribution: Attribution, words: SpeechLexicon) -> tuple[int, int]:
    """The tokens that a cue before them reports."""
    tokens, last = clause.tokens, _last_word(clause.tokens)
    if attribution.nominal:
        comma = attribution.last + 1
        opens = attribution.at < 0 or (attribution.first <= 0 and comma < len(tokens))
        return (comma + 1, last) if opens and comma < len(tokens) and tokens[comma].low == "," else NO_REPORT
    if attribution.last != attribution.at:
        return NO_REPORT
    for at in range(attribution.at + 1, min(attribution.at + 1 + MAX_OBJECT_TOKENS, last)):
        token = tokens[at]
        if token.low in words.that:
            return at + 1, last
        if token.kind != "word":
            return NO_REPORT
    at = attribution.at + 1
    opens = (
        words.bare_reports
        and at < last
        and tokens[attribution.at].low in words.plain
        and tokens[at].kind == "word"
    )
    return (at, last) if opens and _can_start_report(tokens[at], words) else NO_REPORT


def _can_start_report(token: Token, words: SpeechLexicon) -> bool:
    """Whether a word can start a report that has no "that": a name, a pronoun, an article."""
    opens_phrase = token.low in words.pronouns or token.low in words.determiners
    return (token.capital or opens_phrase) and token.low not in words.times


def _report_before(clause: Clause, attribution: Attribution, words: SpeechLexicon) -> tuple[int, int]:
    """The tokens that an attribution at the end of its sentence reports."""
    tokens, last = clause.tokens, _last_word(clause.tokens)
    first = attribution.first
    if first < 2 or tokens[first - 1].low != ",":
        return NO_REPORT
    if not attribution.nominal and tokens[attribution.at].low not in words.plain:
        return NO_REPORT
    rest = tokens[attribution.last + 1 : last + 1]
    ends = all(token.kind == "word" for token in rest) and len(rest) <= 6
    return (0, first - 2) if ends else NO_REPORT
