"""Ticker symbols of companies of the large indices, by name.

Source: ``config/catalogs/tickers.txt`` (`make tickers`). A name of one word is most often something else, too (Target, Next,
Williams): it stands for the company where the story is about the economy or technology.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final

from config.files import CONFIG_FOLDER
from processors.media_topics import with_ancestors
from processors.model.event import Topic
from processors.model.story import Symbol

CATALOG: Final = CONFIG_FOLDER / "catalogs" / "tickers.txt"
BUSINESS_TOPICS: Final = frozenset({"medtop:04000000", "medtop:13000000"})
LEGAL_FORMS: Final = frozenset({"inc", "corp", "corporation", "co", "company", "plc", "ag", "se", "sa", "nv", "spa", "ltd", "group"})  # fmt: skip


def tells_of_business(topics: Iterable[Topic]) -> bool:
    """Whether a story's topics say that a name of one word may be a company's."""
    return not BUSINESS_TOPICS.isdisjoint(with_ancestors(topic.code for topic in topics))


def find_symbols(names: Iterable[str], *, of_business: bool) -> tuple[Symbol, ...]:
    """The ticker of the first of an organisation's names that a company of an index has."""
    for name in names:
        words = _key(name).split()
        bare = words[:-1] if words and words[-1] in LEGAL_FORMS else words
        for own in (words, bare):
            ticker = _tickers().get(" ".join(own))
            if ticker and (of_business or len(words) > 1):
                market, _, symbol = ticker.partition(":")
                return (Symbol(exchange=market, symbol=symbol),)
    return ()


@cache
def _tickers() -> Mapping[str, str]:
    tickers: dict[str, str] = {}
    for line in CATALOG.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            names, ticker = line.split("\t")
            tickers.update((_key(name), ticker) for name in names.split("|"))
    return tickers


def _key(name: str) -> str:
    return " ".join(name.casefold().replace(".", "").replace(",", " ").replace("’", "'").split())
