"""Words of a paragraph around its quotations, cut into sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from processors.quotes.lexicon import SpeechLexicon
from processors.quotes.marks import Quoted

WORD = re.compile(
    r"(?:[^\W\d_]\.){2,}|\d+(?:[.,:]\d+)*(?:\w|-(?=[^\W\d_]))*|\w+(?:['’‐\-]\w+)*(?:['’](?=\s))?|[^\w\s]"
)
CLITIC = re.compile(r"(?P<cut>['’](?:s|re|ve|ll|d|m))$", re.IGNORECASE)
ELISION = re.compile(r"\w+['’](?P<cut>\w)")
HYPHEN = re.compile(r"-(?P<cut>[^\W\d_]+)$")
LONGEST = 250  # tokens of a sentence; what is longer is no prose
DASHES = frozenset("—–―-")
OPENING = "([{—–-―"
ATTRIBUTION = 14  # tokens from a quotation to the cue of the sentence that only tells its speaker
TERMINAL = re.compile(r"[.!?…]['’”\"»)]*$")


class Token(NamedTuple):
    """A word, a mark, or a whole quotation (``quote`` with its number among the paragraph's)."""

    start: int
    end: int
    low: str
    kind: Literal["word", "mark", "quote"]
    capital: bool = False
    number: int = -1


def tokens(text: str, start: int, end: int, quoted: tuple[Quoted, ...], words: SpeechLexicon) -> list[Token]:
    """The tokens of text[start:end]; a quotation is one token."""
    made: list[Token] = []
    at = start
    for number, quote in enumerate(quoted):
        _append(made, text, at, quote.outer_start, words)
        made.append(Token(quote.outer_start, quote.outer_end, "", "quote", number=number))
        at = quote.outer_end
    _append(made, text, at, end, words)
    return made


def _append(made: list[Token], text: str, start: int, end: int, words: SpeechLexicon) -> None:
    for found in WORD.finditer(text, start, end):
        said = found.group()
        if said.isalpha():
            first, last = found.span()
            made.append(Token(first, last, said.lower(), "word", said[0].isupper()))
        elif said[0].isalnum():
            made += _words(said, found.start(), words)
        elif said == "." and made and made[-1].end == found.start() and _abbreviated(made[-1], words):
            last_word = made.pop()
            made.append(last_word._replace(end=found.end()))
        else:
            made.append(Token(found.start(), found.end(), said, "mark"))


def _words(said: str, start: int, words: SpeechLexicon) -> Iterator[Token]:
    """A word, cut where it runs two together: "he's", "l'agence", "dit-il", "a-t-elle"."""
    cut = None
    if "'" in said or "’" in said:
        cut = CLITIC.search(said) or ELISION.match(said)
        if cut and said[: cut.start("cut")].lower().rstrip("'’") not in words.hosts:
            cut = None
    elif "-" in said:
        cut = HYPHEN.search(said)
        if cut and cut["cut"].lower() not in words.pronouns:
            cut = None
    at = cut.start("cut") if cut else len(said)
    first = said[:at].rstrip("-'’").removesuffix("-t") if cut else said
    yield Token(start, start + len(first), first.lower(), "word", said[0].isupper())
    if cut:
        yield Token(start + at, start + len(said), said[at:].lower(), "word", said[at].isupper())


def _abbreviated(token: Token, words: SpeechLexicon) -> bool:
    return token.kind == "word" and (
        token.low in words.titles or (token.capital and token.end - token.start == 1)
    )


def sentences(
    text: str, made: list[Token], quoted: tuple[Quoted, ...], words: SpeechLexicon
) -> list[list[Token]]:
    """The tokens sentence by sentence. A quotation that ends one ends it only before a new one."""
    cut: list[list[Token]] = []
    current: list[Token] = []
    for index, token in enumerate(made):
        current.append(token)
        if len(current) == LONGEST or (token.kind != "word" and _ends(text, made, index, quoted, words)):
            cut.append(current)
            current = []
    return [*cut, current] if current else cut


def _ends(text: str, made: list[Token], index: int, quoted: tuple[Quoted, ...], words: SpeechLexicon) -> bool:
    if index + 1 == len(made):
        return False
    token, following = made[index], made[index + 1]
    starts = following.capital or following.kind == "quote" or following.low in OPENING
    if token.kind == "mark":
        return starts and token.low in ".!?…"
    if token.kind == "quote" and starts and following.low not in DASHES:
        quote = quoted[token.number]
        last = TERMINAL.search(text, quote.start, quote.end)
        return last is not None and not (last[0][0] in "?!" and _attributed(made, index + 1, words))
    return False


def _attributed(made: list[Token], at: int, words: SpeechLexicon) -> bool:
    """Whether a new sentence only tells who spoke: a name, a cue, and nothing that the cue says."""
    for index in range(at, min(len(made), at + ATTRIBUTION)):
        token = made[index]
        if token.kind == "quote" or token.low in (".", ";", ":"):
            return False
        if token.kind == "word" and token.low in words.cues and index > at:
            following = made[index + 1] if index + 1 < len(made) else None
            return following is None or following.kind != "word" or (
                following.low in words.times or following.low in words.prepositions
            )  # fmt: skip
    return False
