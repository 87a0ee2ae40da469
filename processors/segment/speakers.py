"""Who says a quotation, and by which word: the cue nearest to it and the noun phrase that the cue belongs to.

There is no parse. A noun phrase is walked from its cue: leftwards over adverbs and auxiliaries, past a relative or
appositive clause between commas, to the words that end one (`SpeechLexicon.boundaries`); rightwards where the cue
stands before its subject (“…,” said the minister).
"""

from __future__ import annotations

from dataclasses import dataclass

from processors.segment.speech_lexicon import SpeechLexicon
from processors.segment.speech_tokens import Token

DASHES = ("—", "–", "―", "-")
FAR = 40  # tokens from a sentence's start to its subject
NEAR = 14  # tokens between a quotation and a cue after it


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


def _outer(before: list[Attribution]) -> Attribution:
    """The nearest attribution, or the one around it: in "Ruiz says what she calls", it is Ruiz who speaks."""
    nearest = before[-1]
    if nearest.inner:
        for each in reversed(before[:-1]):
            if not each.weak and not each.inner and (nearest.weak or nearest.cue is None):
                return each
    return nearest


class Clause:
    """One sentence, with the attributions in it."""

    def __init__(self, text: str, said: list[Token], words: SpeechLexicon) -> None:
        self.tokens, self._words, self._text = said, words, text
        self.attributions = [
            made
            for at, token in enumerate(said)
            if self._is_cue(at, token) and (made := self._attribution(at))
        ]
        self.attributions += self._nominal() + self._signed()

    def speaker_of(self, at: int, *, title: bool = False) -> Attribution | None:
        """The attribution of the quotation that is token `at`; a title of a work needs its cue right after it."""
        known = [each for each in self.attributions if each.source]
        after = next((each for each in known if each.first > at), None)
        adjacent = after and after.first == at + 1 and after.source
        if after and adjacent and adjacent[0] >= self.tokens[at].end:
            return after
        before = [each for each in known if each.at < at]
        if before:
            return None if title else _outer(before)
        if after and not title and after.first - at <= NEAR:
            return after
        return None

    def _is_cue(self, at: int, token: Token) -> bool:
        if token.low not in self._words.cues or token.kind != "word":
            return False
        before = self._at(at - 1)
        if token.capital and at > 0:
            return False
        if before is None or before.kind != "word":
            return True
        if before.low in self._words.determiners or before.low.endswith(("'s", "’s", "s’")):
            return False
        if before.low in self._words.prepositions and not token.low.endswith(self._words.participle):
            return False
        plain = not before.capital and before.low not in self._words.pronouns and not self._adverb(before)
        return not (plain and token.low in self._words.nouns)

    def _at(self, at: int) -> Token | None:
        return self.tokens[at] if 0 <= at < len(self.tokens) else None

    def _attribution(self, at: int) -> Attribution | None:
        cue = self.tokens[at]
        span = (cue.start, cue.end)
        if self._passive(at):
            agent = self._agent(at)
            return Attribution(at, span, self._span(*agent), at, agent[1]) if agent else None
        weak = cue.low in self._words.weak
        left = self._left(at)
        if left and not self._indefinite(at, left):
            return Attribution(at, span, self._span(*left), left[0], at, weak, inner=self._inner(at, left))
        if self._inverts(at):
            right = self._right(at + 1)
            if right:
                return Attribution(at, span, self._span(*right), at, right[1], weak)
        subject = self._maker(left) if left else self._subject(at)
        return Attribution(at, span, self._span(*subject) if subject else None, at, at, weak)

    def _indefinite(self, at: int, left: tuple[int, int]) -> bool:
        """Whether a participle hangs on a thing just named ("issued a statement saying"), not on who speaks."""
        ends = self.tokens[at].low.endswith(self._words.participle)
        return ends and self.tokens[left[0]].low in self._words.indefinite

    def _maker(self, thing: tuple[int, int]) -> tuple[int, int]:
        """Who issued the statement: the noun phrase before the verb before it; the statement where there is none."""
        verb = self._at(thing[0] - 1)
        if verb is None or verb.kind != "word" or verb.capital or verb.low in self._words.prepositions:
            return thing
        return self._left(thing[0] - 1) or thing

    def _inner(self, at: int, left: tuple[int, int]) -> bool:
        between = self.tokens[left[1] + 1 : at]
        return self.tokens[left[0]].low in self._words.pronouns or any(
            token.low in self._words.relatives for token in between
        )

    def _inverts(self, at: int) -> bool:
        """Whether a cue can stand before its subject: after a quotation, or set off by a comma."""
        cue, after = self.tokens[at], self._at(at + 1)
        before = self._at(self._over_adverbs(at - 1))
        if cue.low.endswith(self._words.participle):
            return False
        if before is None:
            return cue.capital and after is not None and after.capital
        if before.kind == "quote":
            return True
        return (
            before.low in (",", "—", "–", "-") and after is not None and after.low not in self._words.pronouns
        )

    def _passive(self, at: int) -> bool:
        if self.tokens[at].low.endswith(self._words.participle):
            return False
        over = self._over_adverbs(at - 1)
        return any(token.low in self._words.passive for token in self.tokens[over + 1 : at])

    def _agent(self, at: int) -> tuple[int, int] | None:
        """Who does what a passive cue says: the noun phrase after "by"."""
        for index in range(at + 1, min(at + 5, len(self.tokens))):
            if self.tokens[index].low in self._words.agent:
                return self._right(index + 1)
        return None

    def _nominal(self) -> list[Attribution]:
        """ "According to" and its like."""
        if not self.tokens:
            return []
        made = []
        for found in self._words.phrases.finditer(self._text, self.tokens[0].start, self.tokens[-1].end):
            at = next((i for i, token in enumerate(self.tokens) if token.start >= found.end()), None)
            if at is None or any(t.kind == "quote" and t.start <= found.start() < t.end for t in self.tokens):
                continue
            right = self._right(at)
            if right:
                first = next(i for i, token in enumerate(self.tokens) if token.end > found.start())
                made.append(
                    Attribution(at - 1, found.span(), self._span(*right), first, right[1], nominal=True)
                )
        return made

    def _signed(self) -> list[Attribution]:
        """A name behind a dash after a quotation, to the end of the line: “…” — Ana Ruiz."""
        made = []
        for at, token in enumerate(self.tokens[:-2]):
            if token.kind == "quote" and self.tokens[at + 1].low in DASHES and self.tokens[at + 2].capital:
                right = self._right(at + 2)
                following = self._at(right[1] + 1) if right else None
                if right and (following is None or following.low in (".", ",", "(")):
                    made.append(Attribution(at + 1, None, self._span(*right), at + 1, right[1]))
        return made

    def _span(self, first: int, last: int) -> tuple[int, int]:
        return self.tokens[first].start, self.tokens[self._with_name(first, last)].end

    def _with_name(self, first: int, last: int) -> int:
        """The last token of a noun phrase with the name apposed to it: the minister, Ana Ruiz."""
        comma = self._at(last + 1)
        titled = not self.tokens[first].capital or self._article(first)
        return self._named(last) if titled and comma is not None and comma.low == "," else last

    def _named(self, last: int) -> int:
        """The end of the name of two words and more behind the comma after `last`; `last` where there is none."""
        at = last + 2
        while (token := self._at(at)) is not None and token.kind == "word" and token.capital:
            at += 1
        ends = token is None or token.kind == "quote" or token.low in (",", ".", "(", ";", ":")
        return at - 1 if at > last + 3 and ends else last

    def _left(self, at: int) -> tuple[int, int] | None:
        """The noun phrase that ends before the cue, as its first and last token."""
        end = self._over_adverbs(at - 1)
        token = self._at(end)
        if token is None:
            return None
        if token.low in self._words.relatives and token.kind == "word":
            end -= 1
            token = self._at(end)
            if token and token.low == ",":
                end -= 1
        elif token.low == ",":
            return self._apposed(self._before_apposition(end))
        return self._phrase(end)

    def _apposed(self, end: int) -> tuple[int, int] | None:
        """The noun phrase that ends at `end`, or the name before it where it is an apposition itself."""
        phrase = self._phrase(end)
        if phrase is None or self.tokens[phrase[0]].capital:
            return phrase
        comma = self._at(phrase[0] - 1)
        name = self._phrase(phrase[0] - 2) if comma and comma.low == "," else None
        return name if name and self.tokens[name[0]].capital else phrase

    def _over_adverbs(self, at: int) -> int:
        while (token := self._at(at)) and token.kind == "word" and self._adverb(token):
            at -= 1
        return at

    def _adverb(self, token: Token) -> bool:
        return not token.capital and (
            token.low in self._words.auxiliaries or token.low.endswith(self._words.adverb)
        )

    def _before_apposition(self, comma: int) -> int:
        """From the comma after an apposition to the token before the comma that opens it; -1: none."""
        for at in range(comma - 1, max(-1, comma - 30), -1):
            token = self.tokens[at]
            if token.kind == "quote":
                return -1
            if token.low == "," and at > 0:
                return at - 1
        return -1

    def _before_bracket(self, closing: int) -> int:
        for at in range(closing - 1, max(-1, closing - 8), -1):
            if self.tokens[at].low == "(":
                return at - 1
        return -1

    def _phrase(self, end: int) -> tuple[int, int] | None:
        """The noun phrase whose last token is `end`."""
        token = self._at(end)
        if token is not None and token.low == ")":
            end = self._before_bracket(end)
            token = self._at(end)
        if token is None or token.kind != "word" or not self._nominal_word(token):
            return None
        if token.low in self._words.pronouns:
            return end, end
        start, at = end, end - 1
        while (token := self._at(at)) is not None:
            if token.kind == "mark" and token.low == ")":
                at = self._before_bracket(at)
                continue
            if token.kind != "word":
                break
            if token.low in self._words.prepositions and not self._joins(at):
                break
            if token.low in self._words.conjunctions and not self._pairs(at):
                break
            if (
                token.low not in self._words.prepositions
                and token.low not in self._words.conjunctions
                and not self._nominal_word(token)
            ):
                break
            if token.low in self._words.pronouns:
                break
            start = at
            at -= 1
            if token.low in self._words.determiners and not self._preposition(at):
                break
        return self._stripped(start, end)

    def _preposition(self, at: int) -> bool:
        token = self._at(at)
        return token is not None and token.low in self._words.prepositions

    def _nominal_word(self, token: Token) -> bool:
        words = self._words
        if token.low in words.times:
            return False
        if token.low in words.determiners:
            return True
        if token.capital:
            return token.low not in words.boundaries and token.low not in words.openers
        return not (
            token.low in words.boundaries
            or token.low in words.auxiliaries
            or token.low in words.relatives
            or token.low in words.prepositions
            or token.low in words.openers
            or (token.low in words.cues and token.low not in words.nouns)
            or token.low.endswith(words.adverb)
        )

    def _joins(self, at: int) -> bool:
        """Whether a preposition stands inside a noun phrase: after a noun that is no verb."""
        before = self._at(at - 1)
        return bool(
            before
            and before.kind == "word"
            and self._nominal_word(before)
            and before.low not in self._words.pronouns
            and not (before.low.endswith(self._words.verbal) and not before.capital)
        )

    def _pairs(self, at: int) -> bool:
        before, after = self._at(at - 1), self._at(at + 1)
        return bool(
            before and after and before.capital and (after.capital or after.low in self._words.determiners)
        )

    def _stripped(self, start: int, end: int) -> tuple[int, int] | None:
        """Without prepositions, conjunctions and times at its head."""
        while start <= end:
            token = self.tokens[start]
            if self._nominal_word(token):
                return start, end
            start += 1
        return None

    def _right(self, at: int) -> tuple[int, int] | None:
        """The noun phrase that starts at or just after `at`."""
        while (token := self._at(at)) and token.kind == "word" and self._adverb(token):
            at += 1
        if token is None or token.kind != "word" or not self._nominal_word(token):
            return None
        if token.low in self._words.pronouns:
            return at, at
        if (
            not token.capital
            and token.low not in self._words.determiners
            and token.low.endswith(self._words.verbal)
        ):
            return None
        end = at
        index = at + 1
        while (token := self._at(index)) is not None and token.kind == "word":
            joins = token.low in self._words.joiners
            if not (
                joins
                or self._goes_on(index)
                or (token.low in self._words.conjunctions and self._pairs(index))
            ):
                break
            if not joins:
                end = index
            index += 1
        return None if end == at and self._article(at) else (at, end)

    def _article(self, at: int) -> bool:
        return self.tokens[at].low in self._words.definite or self.tokens[at].low in self._words.indefinite

    def _goes_on(self, at: int) -> bool:
        """Whether a word goes on a noun phrase from its left: a small word after a name must lead to another."""
        token, before = self.tokens[at], self.tokens[at - 1]
        if not self._nominal_word(token) or token.low in self._words.pronouns:
            return False
        if token.low in self._words.determiners:
            return before.low in self._words.joiners
        if token.capital or not before.capital:
            return token.capital or not token.low.endswith(self._words.verbal)
        following = [self._at(at + 1), self._at(at + 2)]
        return not token.low.endswith(self._words.verbal) and any(
            each is not None and each.capital and each.kind == "word" for each in following
        )

    def _subject(self, cue: int) -> tuple[int, int] | None:
        """The subject of the sentence: its first noun phrase after an introduction that a comma closes."""
        start = 0
        while self.tokens[start].kind == "word" and self.tokens[start].low in self._words.openers:
            comma = next((i for i in range(start, cue) if self.tokens[i].low == ","), None)
            if comma is None or comma + 1 >= cue:
                break
            start = comma + 1
        for at in range(start, min(cue, start + FAR)):
            token = self.tokens[at]
            if token.kind == "word" and self._nominal_word(token):
                found = self._right(at)
                return found if found and found[1] < cue else None
            if token.kind == "quote":
                return None
        return None
