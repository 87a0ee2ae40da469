"""Who says something, and by which word: the cue nearest to a quotation, and the noun phrase that it belongs to.

Without quotation marks three forms of indirect speech are read: "X said (that) …" to the end of the sentence, "…, X
said" from its start, and "According to X, …". Sentences with quotation marks in the words reported are left to the
quotations themselves.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from processors.quotes.lexicon import SpeechLexicon
from processors.quotes.noun_phrases import NounPhrases, Phrase
from processors.quotes.tokens import Token

DASHES = ("—", "–", "―", "-")
MAX_CUES = 20  # of a sentence, of each kind; what has more is no prose
MAX_TOKENS_TO_CUE = 14  # between a quotation and a cue after it; further on the cue belongs to other words
MIN_REPORT_WORDS = 3  # fewer are "said so", "said no"
MAX_OBJECT_TOKENS = 4  # between a cue and its "that": told reporters in Oslo that
CLOSING_MARKS = frozenset(".!?…")
NO_REPORT = (0, -1)


@dataclass(frozen=True, slots=True)
class Attribution:
    """A cue and its source, as [start, end) in the text; `source` may be missing. `at` is the cue's token."""

    at: int
    cue: tuple[int, int] | None
    source: tuple[int, int] | None
    first: int  # the first token of source and cue together
    last: int  # the last one
    weak: bool = False  # a verb that often tells no speech
    nominal: bool = False  # "according to"; `at` is the token before its source
    inner: bool = False  # its source is a pronoun or stands in a relative clause


class Clause:
    """One sentence, with the attributions in it; `phrased`: whether its paragraph has a nominal cue."""

    def __init__(self, text: str, tokens: list[Token], words: SpeechLexicon, *, phrased: bool = True) -> None:
        self.tokens, self._words, self._text = tokens, words, text
        self._phrases = NounPhrases(tokens, words)
        cues = (at for at, token in enumerate(tokens) if token.low in words.cues and self._is_cue(at, token))
        self.attributions = [
            attribution for at in islice(cues, MAX_CUES) if (attribution := self._attribution_at(at))
        ]
        if phrased:
            self.attributions += self._nominal_attributions()
        self.attributions += self._signatures()

    def speaker_of(self, at: int, *, title: bool = False) -> Attribution | None:
        """The attribution of the quotation that is token `at`; a title of a work needs its cue right after it."""
        sourced = [attribution for attribution in self.attributions if attribution.source]
        after = next((attribution for attribution in sourced if attribution.first > at), None)
        adjacent = after and after.first == at + 1 and after.source
        if after and adjacent and adjacent[0] >= self.tokens[at].end:
            return after
        before = [attribution for attribution in sourced if attribution.at < at]
        if before:
            return None if title else _outermost(before)
        if after and not title and after.first - at <= MAX_TOKENS_TO_CUE:
            return after
        return None

    def _is_cue(self, at: int, token: Token) -> bool:
        """Whether a word that may be a cue is one where it stands."""
        if token.kind != "word":
            return False
        before = self._phrases.at(at - 1)
        if token.capital and at > 0 and not self._is_in_capitals():
            return False
        if before is None or before.kind != "word":
            return True
        if before.low in self._words.determiners or (
            before.low.endswith(("'s", "’s", "s’")) and len(before.low) > 2
        ):
            return False
        if before.low in self._words.prepositions and not token.low.endswith(self._words.participle):
            return False
        plain = (
            not before.capital
            and before.low not in self._words.pronouns
            and not self._phrases.is_adverb(before)
        )
        return not (plain and token.low in self._words.nouns and not self._has_object(at, before))

    def _has_object(self, at: int, before: Token) -> bool:
        """Whether a pronoun behind a word that may be a noun makes it a verb: "and calls it …"."""
        after = self._phrases.at(at + 1)
        return (
            before.low in self._words.conjunctions
            and after is not None
            and not after.capital
            and (after.low in self._words.pronouns or after.low in self._words.boundaries)
        )

    def _is_in_capitals(self) -> bool:
        return self._text[self.tokens[0].start : self.tokens[-1].end].isupper()

    def _attribution_at(self, at: int) -> Attribution | None:
        cue = self.tokens[at]
        span = (cue.start, cue.end)
        if self._is_passive(at):
            agent = self._agent(at)
            return Attribution(at, span, self._span(agent), at, agent[1]) if agent else None
        weak = cue.low in self._words.weak
        left = self._phrases.phrase_before(at)
        if left and self.tokens[left[0]].low in self._words.oblique:
            left = self._phrases.phrase_from(at + 1) or left  # Den Prozess nannte sie …
        if left and left[0] > at:
            return Attribution(at, span, self._span(left), at, left[1], weak)
        if left and not self._hangs_on_thing(at, left):
            return Attribution(at, span, self._span(left), left[0], at, weak, inner=self._is_inner(at, left))
        if self._can_invert(at):
            right = self._phrases.phrase_from(self._over_addressee(at + 1))
            if right:
                return Attribution(at, span, self._span(right), at, right[1], weak)
        subject = self._maker(left) if left else self._phrases.subject(at)
        return Attribution(at, span, self._span(subject) if subject else None, at, at, weak)

    def _over_addressee(self, at: int) -> int:
        """From whom the words are told to, to who says them: ``a déclaré à l'AFP le maire``."""
        token = self._phrases.at(at)
        while token is not None and token.low in self._words.addressees:
            at += 1
            token = self._phrases.at(at)
        if token is None or token.low not in self._words.addressing:
            return at
        addressee = self._phrases.phrase_from(at + 1)
        return addressee[1] + 1 if addressee else at

    def _hangs_on_thing(self, at: int, left: Phrase) -> bool:
        """Whether a participle hangs on a thing just named ("issued a statement saying"), not on who speaks."""
        ends = self.tokens[at].low.endswith(self._words.participle)
        return ends and self.tokens[left[0]].low in self._words.indefinite

    def _maker(self, thing: Phrase) -> Phrase:
        """Who issued the statement: the noun phrase before the verb before it; the statement where there is none."""
        verb = self._phrases.at(thing[0] - 1)
        if verb is None or verb.kind != "word" or verb.capital or verb.low in self._words.prepositions:
            return thing
        return self._phrases.phrase_before(thing[0] - 1) or thing

    def _is_inner(self, at: int, left: Phrase) -> bool:
        between = self.tokens[left[1] + 1 : at]
        return self.tokens[left[0]].low in self._words.pronouns or any(
            token.low in self._words.relatives for token in between
        )

    def _can_invert(self, at: int) -> bool:
        """Whether a cue can stand before its subject: after a quotation, or set off by a comma."""
        cue, after = self.tokens[at], self._phrases.at(at + 1)
        before = self._phrases.at(self._phrases.over_adverbs(at - 1))
        if cue.low.endswith(self._words.participle):
            return False
        if before is None:
            return cue.capital and after is not None and after.capital
        first = self._phrases.over_adverbs(at - 1)
        for number in range(first, max(-1, first - 3), -1):  # over a comma, a dash, or both
            mark = self.tokens[number]
            if mark.kind == "quote":
                return True
            if mark.low not in (",", *DASHES):
                break
        return (
            before.low in (",", "—", "–", "-") and after is not None and after.low not in self._words.pronouns
        )

    def _is_passive(self, at: int) -> bool:
        if self.tokens[at].low.endswith(self._words.participle):
            return False
        over = self._phrases.over_adverbs(at - 1)
        after, agent = self._phrases.at(at + 1), self._phrases.at(at + 2)
        if after and after.kind == "quote" and agent and agent.low in self._words.agent:
            return True  # the bell, called “…” by the mayor
        return any(token.low in self._words.passive for token in self.tokens[over + 1 : at])

    def _agent(self, at: int) -> Phrase | None:
        """Who does what a passive cue says: the noun phrase after "by"."""
        for index in range(at + 1, min(at + 5, len(self.tokens))):
            if self.tokens[index].low in self._words.agent:
                return self._phrases.phrase_from(index + 1)
        return None

    def _nominal_attributions(self) -> list[Attribution]:
        """The nominal cues, as "according to", with their sources."""
        attributions = []
        start, end = self.tokens[0].start, self.tokens[-1].end
        for match in islice(self._words.phrases.finditer(self._text, start, end), MAX_CUES):
            at = bisect_left(self.tokens, match.end(), key=_start)
            first = bisect_right(self.tokens, match.start(), key=_end)
            right = self._phrases.phrase_from(at) if at and self.tokens[first].kind != "quote" else None
            if at and right:
                span = self._span(right)
                attributions.append(Attribution(at - 1, match.span(), span, first, right[1], nominal=True))
        for match in islice(self._words.behind.finditer(self._text, start, end), MAX_CUES):
            first = bisect_right(self.tokens, match.start(), key=_end)
            left = self._phrases.phrase_before(first)
            if left and self.tokens[first].kind == "word":
                attributions.append(
                    Attribution(first, match.span(), self._span(left), left[0], first, nominal=True)
                )
        return attributions

    def _signatures(self) -> list[Attribution]:
        """A name behind a dash after a quotation, to the end of the line: “…” — Ana Ruiz."""
        attributions = []
        for at, token in enumerate(self.tokens[:-2]):
            if token.kind == "quote" and self.tokens[at + 1].low in DASHES and self.tokens[at + 2].capital:
                right = self._phrases.phrase_from(at + 2)
                following = self._phrases.at(right[1] + 1) if right else None
                if right and (following is None or following.low in (".", ",", "(")):
                    attributions.append(Attribution(at + 1, None, self._span(right), at + 1, right[1]))
        return attributions

    def _span(self, phrase: Phrase) -> tuple[int, int] | None:
        """A phrase in the text, with the name apposed to it; None where it is nothing that speaks."""
        if not self._phrases.can_speak(phrase):
            return None
        first, last = self._phrases.with_name(phrase)
        return self.tokens[first].start, self.tokens[last].end


def _start(token: Token) -> int:
    return token.start


def _end(token: Token) -> int:
    return token.end


def _outermost(before: list[Attribution]) -> Attribution:
    """The nearest attribution, or the one around it: in "Ruiz says what she calls", it is Ruiz who speaks."""
    nearest = before[-1]
    if nearest.inner:
        for attribution in reversed(before[:-1]):
            if not attribution.weak and not attribution.inner and (nearest.weak or nearest.cue is None):
                return attribution
    return nearest


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
