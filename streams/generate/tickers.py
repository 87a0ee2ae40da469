"""Builds ``config/catalogs/tickers.txt`` from ``pytickersymbols`` (MIT): companies of large indices and their tickers.

Run ``make tickers`` after an update of that package. One line a company: the names that it goes by, and its ticker at
the market where its index trades, as ``MIC:TICKER`` (ISO 10383). A name of two companies is left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from pytickersymbols import PyTickerSymbols

from config.files import CONFIG_FOLDER

TARGET = CONFIG_FOLDER / "catalogs" / "tickers.txt"
FILE_HEAD = """\
# Names of a company, parted by |, and its ticker with the market (ISO 10383); a tab between.
# From pytickersymbols (https://github.com/portfolioplus/pytickersymbols), MIT, by streams/generate/tickers.py.
"""
# A company of two indices is taken from the first: that of its home.
INDEX_NAMES = (
    "CAC_40", "AEX", "DAX", "MDAX", "IBEX 35", "BEL 20", "Switzerland 20", "FTSE 100", "NASDAQ 100", "S&P 500",
    "DOW JONES", "OMX Helsinki 25", "NIKKEI 225", "EURO STOXX 50", "OMX Stockholm 30",
)  # fmt: skip
MIC_OF_SUFFIX = {
    "PA": "XPAR", "AS": "XAMS", "DE": "XETR", "MC": "XMAD", "BR": "XBRU", "SW": "XSWX", "L": "XLON", "HE": "XHEL",
    "T": "XTKS", "MI": "XMIL", "ST": "XSTO",
}  # fmt: skip
MIC_OF_MARKET = {"NYSE": "XNYS", "NASDAQ": "XNAS"}
AT_MARKET = re.compile(r"\b(NYSE|NASDAQ)\s*:", re.IGNORECASE)
LEGAL_FORM = re.compile(
    r",?\s+(?:inc|incorporated|corp|corporation|co|company|companies|plc|ag|se|sa|nv|spa|oyj|abp|ab|asa|ltd|limited|"
    r"group|holdings?|kgaa|& co|& co kgaa|the|s\.?a\.?|n\.?v\.?|s\.?p\.?a\.?)\.?$",
    re.IGNORECASE,
)
SHARE_CLASS = re.compile(r"\s*\((?:class [a-z]|the|[a-z])\)|\s+class [a-z]$|,? [a-z] ser\.?$", re.IGNORECASE)
MIN_NAME_CHARS = 2


def main() -> None:
    """Write the table."""
    companies: dict[str, tuple[str, ...]] = {}
    for ticker, name in _listed():
        companies.setdefault(ticker, _names(name))
    times = Counter(name for names in companies.values() for name in names)
    lines = []
    for ticker, names in sorted(companies.items()):
        if own := [name for name in names if times[name] == 1]:
            lines.append(f"{'|'.join(own)}\t{ticker}\n")
    TARGET.write_text(FILE_HEAD + "".join(lines), "utf-8")


def _listed() -> Iterator[tuple[str, str]]:
    """The ticker and the name of each company."""
    source = PyTickerSymbols()
    seen: set[str] = set()
    for index in INDEX_NAMES:
        for stock in source.get_stocks_by_index(index):
            ticker = _ticker(stock)
            if ticker and stock["name"] not in seen:
                seen.add(stock["name"])
                yield ticker, stock["name"]


def _ticker(stock: dict[str, Any]) -> str | None:
    symbol, *suffix = stock["symbol"].split(".")
    if suffix and suffix[-1] in MIC_OF_SUFFIX:
        return f"{MIC_OF_SUFFIX[suffix[-1]]}:{symbol}" if len(suffix) == 1 else None
    listings = [listing.get("google") or "" for listing in stock.get("symbols", ())]
    told = AT_MARKET.search(" ".join([stock.get("metadata", {}).get("traded_as", ""), *listings]))
    return f"{MIC_OF_MARKET[told[1].upper()]}:{stock['symbol']}" if told else None


def _names(name: str) -> tuple[str, ...]:
    """A company's name, and what is left of it without its legal form."""
    full = SHARE_CLASS.sub("", name).strip()
    names = {full: None}
    bare = full
    while LEGAL_FORM.search(bare):
        bare = LEGAL_FORM.sub("", bare).strip(" ,&")
        names[bare] = None
    return tuple(each.casefold() for each in names if len(each) >= MIN_NAME_CHARS)


if __name__ == "__main__":
    main()
