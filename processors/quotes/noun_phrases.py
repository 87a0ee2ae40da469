"""Noun phrases around a cue, found without a parse.

A phrase is walked word by word from where the cue says that it must be: leftwards, over adverbs and auxiliaries and
past a relative or appositive clause between commas, or rightwards. What ends one is in `SpeechLexicon`. Phrases are
pairs of token numbers, first and last, both inside.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from processors.quotes.lexicon import SpeechLexicon
from processors.quotes.tokens import Token

MAX_PHRASE_TOKENS = 60  # of a phrase, and of the adverbs before a cue: bounds the walk, no phrase is as long
MAX_SUBJECT_TOKENS = (
    40  # from a sentence's start to its subject: further on it is the subject of another clause
)
MAX_APPOSITION_TOKENS = 30  # of a clause between commas
MAX_BRACKET_TOKENS = 8  # a party and a state, an age; longer ones are sentences
GENITIVE_END = re.compile(r"(?:['’]s|(?<=s)['’])$")
Phrase = tuple[int, int]


class NounPhrases:
    """The noun phrases of one sentence."""

    def __init__(self, tokens: Sequence[Token], words: SpeechLexicon) -> None:
        self._tokens, self._words = tokens, words

    def at(self, number: int) -> Token | None:
        """A token, or None outside the sentence."""
        return self._tokens[number] if 0 <= number < len(self._tokens) else None

    def phrase_before(self, cue: int) -> Phrase | None:
        """The phrase that ends before the cue."""
        end = self.over_adverbs(cue - 1)
        token = self.at(end)
        if token is None:
            return None
        if token.low == ",":
            return self._resolve_apposition(self._before_apposition(end))
        if token.kind == "word" and token.low in self._words.relatives:
            before = self.at(end - 1)
            end -= 2 if before and before.low == "," else 1
        return self._phrase_ending_at(end)

    def phrase_from(self, at: int) -> Phrase | None:
        """The phrase that starts at or, after adverbs, behind a token."""
        last = at + MAX_PHRASE_TOKENS
        while at < last and (token := self.at(at)) and token.kind == "word" and self.is_adverb(token):
            at += 1
        token = self.at(at)
        if token is None or token.kind != "word" or not self._is_nominal(token):
            return None
        if token.low in self._words.pronouns and not self._opens_phrase(at):
            return at, at
        if not token.capital and token.low not in self._words.determiners and self._is_verbal(token):
            return None
        end = self._last_token(at)
        return None if end == at and self.is_article(at) else (at, end)

    def subject(self, cue: int) -> Phrase | None:
        """The first phrase of the sentence after introductions that commas close, before the cue."""
        start = 0
        while self._tokens[start].low in self._words.openers:
            comma = next((at for at in range(start, cue) if self._tokens[at].low == ","), None)
            if comma is None or comma + 1 >= cue:
                break
            start = comma + 1
        for at in range(start, min(cue, start + MAX_SUBJECT_TOKENS)):
            token = self._tokens[at]
            if token.kind == "quote":
                return None
            if token.kind == "word" and self._is_nominal(token):
                phrase = self.phrase_from(at)
                return phrase if phrase and phrase[1] < cue else None
        return None

    def with_name(self, phrase: Phrase) -> Phrase:
        """A phrase with the name apposed to it: the minister, Ana Ruiz."""
        first, last = phrase
        comma = self.at(last + 1)
        titled = not (self._tokens[first].capital and self._tokens[last].capital) or self.is_article(first)
        return (first, self._name_end(last)) if titled and comma is not None and comma.low == "," else phrase

    def can_speak(self, phrase: Phrase) -> bool:
        """Whether a phrase can be a person, a body, a document or a pronoun: no number, no time, no place in general."""
        tokens = [token for token in self._tokens[phrase[0] : phrase[1] + 1] if token.kind == "word"]
        if not any(token.low[0].isalpha() for token in tokens):
            return False
        if len(tokens) == 1:
            return self._can_speak_alone(tokens[0])
        at = self._head_at(tokens)
        if at + 1 < len(tokens) and at and tokens[at - 1].low[0].isdigit():
            return True  # 52 percent of voters
        head = tokens[at]
        base = GENITIVE_END.sub("", head.low)
        if base in self._words.times or (not head.capital and base in self._words.silent):
            return False
        return base == head.low and not all(map(self._is_silent, tokens))

    def _is_silent(self, token: Token) -> bool:
        if token.low[0].isdigit() or token.low in self._words.determiners:
            return True
        return token.low in self._words.silent and not token.capital

    def _head_at(self, tokens: Sequence[Token]) -> int:
        """The number of the last word before what a preposition hangs to a phrase."""
        for at, token in enumerate(tokens):
            if at and token.low in self._words.prepositions and not token.capital:
                return at - 1
        return len(tokens) - 1

    def _can_speak_alone(self, token: Token) -> bool:
        """Whether one word can: a name, a pronoun, a plural; where nouns have articles, no other noun, and no verb."""
        words, low = self._words, token.low
        if low in words.pronouns or low in words.alone or low in words.organisations:
            return True
        if (
            low in words.times
            or low in words.silent
            or GENITIVE_END.search(low)
            or token.end - token.start == 1
        ):
            return False
        if not words.alone:
            return True
        if low in words.determiners or (token.end - token.start == len("X.") and low.endswith(".")):
            return False
        return token.capital or (low.endswith("s") and not low.endswith("ss"))

    def over_adverbs(self, at: int) -> int:
        """The number of the token left of the adverbs and auxiliaries that end at `at`."""
        first = at - MAX_PHRASE_TOKENS
        while at > first and (token := self.at(at)) and token.kind == "word" and self.is_adverb(token):
            at -= 1
        return at

    def is_adverb(self, token: Token) -> bool:
        """Whether a word stands between a subject and its cue: an auxiliary or an adverb."""
        is_adverb = token.low in self._words.auxiliaries or token.low.endswith(self._words.adverb)
        return is_adverb and not token.capital

    def is_article(self, at: int) -> bool:
        """Whether a token is an article or works as one."""
        return self._tokens[at].low in self._words.definite or self._tokens[at].low in self._words.indefinite

    def _name_end(self, last: int) -> int:
        """The end of the name of two words and more behind the comma after `last`; `last` where there is none."""
        at = last + 2
        token = self.at(at)
        while token is not None and token.kind == "word" and token.capital and at < last + MAX_PHRASE_TOKENS:
            at += 1
            token = self.at(at)
        ends = token is None or token.kind == "quote" or token.low in (",", ".", "(", ";", ":")
        return at - 1 if at > last + 3 and ends else last

    def _resolve_apposition(self, end: int) -> Phrase | None:
        """The phrase that ends at `end`, or the name before it where it is an apposition itself."""
        phrase = self._phrase_ending_at(end)
        if phrase is None or self._tokens[phrase[0]].capital:
            return phrase
        comma = self.at(phrase[0] - 1)
        name = self._phrase_ending_at(phrase[0] - 2) if comma and comma.low == "," else None
        return name if name and self._tokens[name[0]].capital else phrase

    def _before_apposition(self, comma: int) -> int:
        """From the comma after an apposition to the token before the comma that opens it; -1: none."""
        for at in range(comma - 1, max(0, comma - MAX_APPOSITION_TOKENS), -1):
            token = self._tokens[at]
            if token.kind == "quote":
                return -1
            if token.low == ",":
                return at - 1
        return -1

    def _before_bracket(self, closing: int) -> int:
        """From a closing bracket to the token before the opening one; -1: none."""
        for at in range(closing - 1, max(-1, closing - MAX_BRACKET_TOKENS), -1):
            if self._tokens[at].low == "(":
                return at - 1
        return -1

    def _phrase_ending_at(self, end: int) -> Phrase | None:
        """The phrase whose last token is `end`."""
        token = self.at(end)
        if token is not None and token.low == ")":
            end = self._before_bracket(end)
            token = self.at(end)
        if token is None or token.kind != "word" or not self._is_nominal(token):
            return None
        start = end if token.low in self._words.pronouns else self._first_token(end)
        while start < end and not self._is_nominal(self._tokens[start]):
            start += 1
        return start, end

    def _first_token(self, end: int) -> int:
        """The first token of the phrase that ends at `end`."""
        start, at = end, end - 1
        while at > end - MAX_PHRASE_TOKENS and (token := self.at(at)) is not None:
            if token.low == ")":
                at = self._before_bracket(at)
                continue
            if not self._can_stand_inside(at, token):
                break
            start = at
            at -= 1
            before = self.at(at)
            if token.low in self._words.determiners and not (
                before and before.low in self._words.prepositions
            ):
                break
        return start

    def _can_stand_inside(self, at: int, token: Token) -> bool:
        """Whether a token can stand inside the phrase on its right."""
        if token.kind != "word" or token.low in self._words.pronouns:
            return False
        if token.low in self._words.prepositions:
            return self._joins_names(at)
        if token.low in self._words.conjunctions:
            return self._pairs_names(at)
        return self._is_nominal(token)

    def _is_nominal(self, token: Token) -> bool:
        """Whether a word can be part of a noun phrase."""
        words = self._words
        if token.low in words.times or token.low in words.boundaries:
            return False
        if token.low in words.determiners:
            return True
        if token.capital:
            return token.low not in words.openers
        return token.low not in words.enders and not token.low.endswith(words.adverb)

    def _opens_phrase(self, at: int) -> bool:
        """Whether a word that may be a pronoun is an article here: liet het bedrijf weten."""
        after = self.at(at + 1)
        return (
            self._tokens[at].low in self._words.determiners
            and after is not None
            and after.kind == "word"
            and after.low not in self._words.pronouns
            and self._is_nominal(after)
        )

    def _is_verbal(self, token: Token) -> bool:
        return token.low.endswith(self._words.verbal) and token.low not in self._words.nouns

    def _joins_names(self, at: int) -> bool:
        """Whether a preposition stands inside a phrase: after a noun that is no verb."""
        before = self.at(at - 1)
        if before is None or before.kind != "word" or before.low in self._words.pronouns:
            return False
        return self._is_nominal(before) and (before.capital or not self._is_verbal(before))

    def _pairs_names(self, at: int) -> bool:
        """Whether a conjunction binds two names."""
        before, after = self.at(at - 1), self.at(at + 1)
        if before is None or after is None or not before.capital:
            return False
        return after.capital or after.low in self._words.determiners

    def _last_token(self, start: int) -> int:
        """The last token of the phrase that starts at `start`."""
        end, at = start, start + 1
        while at < start + MAX_PHRASE_TOKENS and (token := self.at(at)) is not None and token.kind == "word":
            if token.low not in self._words.joiners:
                if not self._continues_phrase(at) and not (
                    token.low in self._words.conjunctions and self._pairs_names(at)
                ):
                    break
                end = at
            at += 1
        return end

    def _continues_phrase(self, at: int) -> bool:
        """Whether a word goes on the phrase on its left: a small word after a name must lead to another name."""
        token, before = self._tokens[at], self._tokens[at - 1]
        if not self._is_nominal(token) or token.low in self._words.pronouns:
            return False
        if token.low in self._words.determiners:
            return before.low in self._words.joiners
        if token.capital:
            return True
        if self._is_verbal(token):
            return False
        return not before.capital or any(following.capital for following in self._tokens[at + 1 : at + 3])
