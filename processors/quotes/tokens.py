"""Words of a paragraph around its quotations, cut into sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from processors.quotes.lexicon import SpeechLexicon
from processors.quotes.marks import QuotedSpan

WORD = re.compile(
    r"(?:[^\W\d_]\.){2,}|\d+(?:[.,:/]\d+)*(?:\w|-(?=[^\W\d_]))*|\w+(?:['’‐\-]\w+)*(?:['’](?=\s))?|[^\w\s]"
)
CLITIC = re.compile(r"(?P<cut>['’](?:s|re|ve|ll|d|m))$", re.IGNORECASE)
ELISION = re.compile(r"\w+['’](?P<cut>\w)")
HYPHEN = re.compile(r"-(?P<cut>[^\W\d_]+)$")
MAX_SENTENCE_TOKENS = 250  # what is longer is no prose, and would cost its square
DASH_MARKS = frozenset("—–―-")
OPENING_BRACKETS = "([{—–-―"
MAX_ATTRIBUTION_TOKENS = (
    14  # from a quotation to the cue of a sentence that only names its speaker: a long title and name have 12
)
TERMINAL_MARK = re.compile(r"[.!?…]['’”\"»)]*$")


class Token(NamedTuple):
    """A word, a mark, or a whole quotation (``quote`` with its number among the paragraph's)."""

    start: int
    end: int
    low: str
    kind: Literal["word", "mark", "quote"]
    capital: bool = False
    number: int = -1


def tokenize(
    text: str, start: int, end: int, quoted: tuple[QuotedSpan, ...], words: SpeechLexicon
) -> list[Token]:
    """The tokens of text[start:end]; a quotation is one token."""
    tokens: list[Token] = []
    at = start
    for number, quote in enumerate(quoted):
        _append_words(tokens, text, at, quote.outer_start, words)
        tokens.append(Token(quote.outer_start, quote.outer_end, "", "quote", number=number))
        at = quote.outer_end
    _append_words(tokens, text, at, end, words)
    return tokens


def _append_words(tokens: list[Token], text: str, start: int, end: int, words: SpeechLexicon) -> None:
    for match in WORD.finditer(text, start, end):
        word = match.group()
        if word.isalpha():
            first, last = match.span()
            tokens.append(Token(first, last, word.lower(), "word", word[0].isupper()))
        elif word[0].isalnum():
            tokens += _split_word(word, match.start(), words)
        elif (
            word == "." and tokens and tokens[-1].end == match.start() and _is_abbreviation(tokens[-1], words)
        ):
            last_word = tokens.pop()
            tokens.append(last_word._replace(end=match.end()))
        else:
            tokens.append(Token(match.start(), match.end(), word, "mark"))


def _split_word(word: str, start: int, words: SpeechLexicon) -> Iterator[Token]:
    """A word, cut where it runs two together: "he's", "l'agence", "dit-il", "a-t-elle"."""
    cut = None
    if "'" in word or "’" in word:
        cut = CLITIC.search(word) or ELISION.match(word)
        if cut and word[: cut.start("cut")].lower().rstrip("'’") not in words.hosts:
            cut = None
    elif "-" in word:
        cut = HYPHEN.search(word)
        if cut and cut["cut"].lower() not in words.pronouns:
            cut = None
    at = cut.start("cut") if cut else len(word)
    first = word[:at].rstrip("-'’").removesuffix("-t") if cut else word
    yield Token(start, start + len(first), first.lower(), "word", word[0].isupper())
    if cut:
        yield Token(start + at, start + len(word), word[at:].lower(), "word", word[at].isupper())


def _is_abbreviation(token: Token, words: SpeechLexicon) -> bool:
    return token.kind == "word" and (
        token.low in words.titles or (token.capital and token.end - token.start == 1)
    )


def split_sentences(
    text: str, tokens: list[Token], quoted: tuple[QuotedSpan, ...], words: SpeechLexicon
) -> list[list[Token]]:
    """The tokens sentence by sentence. A quotation that ends one ends it only before a new one."""
    cut: list[list[Token]] = []
    current: list[Token] = []
    for index, token in enumerate(tokens):
        current.append(token)
        if len(current) == MAX_SENTENCE_TOKENS or (
            token.kind != "word" and _ends_sentence(text, tokens, index, quoted, words)
        ):
            cut.append(current)
            current = []
    return [*cut, current] if current else cut


def _ends_sentence(
    text: str, tokens: list[Token], index: int, quoted: tuple[QuotedSpan, ...], words: SpeechLexicon
) -> bool:
    if index + 1 == len(tokens):
        return False
    token, following = tokens[index], tokens[index + 1]
    starts = following.capital or following.kind == "quote" or following.low in OPENING_BRACKETS
    if token.kind == "mark":
        return starts and token.low in ".!?…"
    if token.kind == "quote" and starts and following.low not in DASH_MARKS:
        quote = quoted[token.number]
        last = TERMINAL_MARK.search(text, quote.start, quote.end)
        return last is not None and not (last[0][0] in "?!" and _is_attribution(tokens, index + 1, words))
    return False


def _is_attribution(tokens: list[Token], at: int, words: SpeechLexicon) -> bool:
    """Whether a new sentence only tells who spoke: a name, a cue, and nothing that the cue says."""
    for index in range(at, min(len(tokens), at + MAX_ATTRIBUTION_TOKENS)):
        token = tokens[index]
        if token.kind == "quote" or token.low in (".", ";", ":"):
            return False
        if token.kind == "word" and token.low in words.cues and index > at:
            following = tokens[index + 1] if index + 1 < len(tokens) else None
            return following is None or following.kind != "word" or (
                following.low in words.times or following.low in words.prepositions
            )  # fmt: skip
    return False
