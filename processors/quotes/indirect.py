"""Indirect speech: what somebody is said to have said, without quotation marks.

Three forms are read: "X said (that) …" to the end of the sentence, "…, X said" from its start, and "According to X,
…". Sentences with quotation marks in the words reported are left to the quotations themselves.
"""

from __future__ import annotations

from collections.abc import Iterator

from processors.quotes.attribution import Attribution, Clause
from processors.quotes.lexicon import SpeechLexicon
from processors.quotes.tokens import Token

LEAST = 3  # words of a report
OBJECT = 4  # tokens between a cue and its "that": told reporters that
CLOSING = frozenset(".!?…")


def find_indirect(clause: Clause, words: SpeechLexicon) -> Iterator[tuple[int, int, Attribution]]:
    """The reports of one sentence as [start, end) in the text with their attribution; at most one a sentence."""
    for found in clause.attributions:
        if found.source is None or found.weak or found.cue is None:
            continue
        for first, last in (_after(clause, found, words), _before(clause, found, words)):
            said = clause.tokens[first : last + 1]
            if sum(token.kind == "word" for token in said) >= LEAST and not _quoted(said):
                yield said[0].start, said[-1].end, found
                return


def _quoted(said: list[Token]) -> bool:
    return any(token.kind == "quote" for token in said)


def _last(tokens: list[Token]) -> int:
    """The last token of a sentence that is no full stop."""
    last = len(tokens) - 1
    while last >= 0 and tokens[last].kind == "mark" and tokens[last].low in CLOSING:
        last -= 1
    return last


NOTHING = (0, -1)


def _after(clause: Clause, found: Attribution, words: SpeechLexicon) -> tuple[int, int]:
    """The tokens that a cue before them reports."""
    tokens, last = clause.tokens, _last(clause.tokens)
    if found.nominal:
        comma = found.last + 1
        opens = found.at < 0 or (found.first <= 0 and comma < len(tokens))
        return (comma + 1, last) if opens and comma < len(tokens) and tokens[comma].low == "," else NOTHING
    if found.last != found.at:
        return NOTHING
    for at in range(found.at + 1, min(found.at + 1 + OBJECT, last)):
        token = tokens[at]
        if token.low in words.that:
            return at + 1, last
        if token.kind != "word":
            return NOTHING
    at = found.at + 1
    opens = (
        words.bare_reports and at < last and tokens[found.at].low in words.plain and tokens[at].kind == "word"
    )
    return (at, last) if opens and _starts(tokens[at], words) else NOTHING


def _starts(token: Token, words: SpeechLexicon) -> bool:
    """Whether a word can start a report that has no "that": a name, a pronoun, an article."""
    known = token.low in words.pronouns or token.low in words.determiners
    return (token.capital or known) and token.low not in words.times


def _before(clause: Clause, found: Attribution, words: SpeechLexicon) -> tuple[int, int]:
    """The tokens that an attribution at the end of its sentence reports."""
    tokens, last = clause.tokens, _last(clause.tokens)
    first = found.first
    if first < 2 or tokens[first - 1].low != ",":
        return NOTHING
    if not found.nominal and tokens[found.at].low not in words.plain:
        return NOTHING
    rest = tokens[found.last + 1 : last + 1]
    ends = all(token.kind == "word" for token in rest) and len(rest) <= 6
    return (0, first - 2) if ends else NOTHING
