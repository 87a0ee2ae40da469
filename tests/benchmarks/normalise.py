"""What the normalise step costs, format by format, on one core.

``python -m tests.benchmarks.normalise [--feeds FOLDER]`` prints items a CPU second for documents made here of invented
stories, and for a folder of feeds entries a CPU second, parsing alone and the whole step, beside feedparser in the same
run; and the memory that a document of many items takes.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import feedparser
import orjson

from config.settings import Normalise
from processors.errors import Rejected
from processors.event import RawItem
from processors.normalise import normalise
from processors.normalise.decode import decode
from processors.normalise.feeds import elements
from processors.normalise.xml import parse

SENTENCE = "The council of Port Alder said on Monday that it would repair the wall of the harbour by spring. "
RECEIVED = "2026-01-22T16:00:00Z"
GOLDEN = Path(__file__).parents[1] / "processors" / "normalise" / "golden"
SETTINGS = Normalise(max_item_bytes=1 << 30, max_entries=1_000_000)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--feeds", type=Path, help="a folder of feed documents")
    options.add_argument("--seconds", type=float, default=2.0, help="CPU seconds a row")
    told = options.parse_args()
    print(f"{'document':<34}{'items/s':>10}{'µs an item':>12}")
    for name, payload, envelope in _documents():
        count, seconds = _timed(lambda p=payload, e=envelope: _items(p, e), told.seconds)  # type: ignore[misc]
        print(f"{name:<34}{count / seconds:>10,.0f}{seconds / count * 1e6:>12,.0f}")
    if told.feeds:
        _feeds([path.read_bytes() for path in sorted(told.feeds.iterdir())])
    _memory()


def _documents() -> list[tuple[str, bytes, dict[str, str]]]:
    line = {
        "uri": "urn:example:1", "version": "1", "versionCreated": "2026-01-22T12:00:00Z", "language": "en",
        "headlines": [{"role": "main", "value": "Harbour wall to be repaired"}],
        "bodies": [{"role": "main", "contentType": "text/plain", "value": SENTENCE * 16}],
    }  # fmt: skip
    bare = {name: value for name, value in line.items() if name != "language"}
    golden: list[tuple[str, bytes, dict[str, str]]] = [
        (path.name, path.read_bytes(), {}) for path in sorted(GOLDEN.iterdir()) if "expected" not in path.name
    ]
    message = (
        b"\x01NNA0123 2 POL 54\r\nHarbour =\r\n\x02"
        + SENTENCE.encode() * 16
        + b"\r\n\x03\r\n221530 GMT JAN 26\r\n\x04"
    )
    return [
        ("ninjs line, 300 words, declared", orjson.dumps(line), {"format": "ninjs"}),
        ("ninjs line, 300 words, undeclared", orjson.dumps(bare), {"format": "ninjs"}),
        ("RSS, 100 entries of 150 words", _rss(100), {}),
        ("IPTC 7901, 300 words", message, {"language": "en"}),
        *golden,
    ]


def _rss(entries: int) -> bytes:
    item = (
        "<item><title>Harbour wall {n}</title><link>https://courier.example/{n}</link><guid>https://courier.example/{n}</guid>"
        "<pubDate>Thu, 22 Jan 2026 16:30:00 +0100</pubDate><dc:creator>Ann Lark</dc:creator><category>Harbour</category>"
        "<description><![CDATA[<p>{p}</p><p>{q} <a href='/x'>More</a></p>]]></description></item>"
    )
    items = "".join(item.format(n=n, p=SENTENCE * 4, q=SENTENCE * 4) for n in range(entries))
    head = "<rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/'><channel><title>C</title><language>en</language>"
    return f"{head}{items}</channel></rss>".encode()


def _items(payload: bytes, envelope: dict[str, str]) -> int:
    try:
        return len(normalise(RawItem(payload, RECEIVED, **envelope), SETTINGS))
    except Rejected:
        return 0


def _timed(run: Callable[[], int], seconds: float) -> tuple[int, float]:
    run()
    count, start = 0, time.process_time()
    while time.process_time() - start < seconds:
        count += run()
    return count, time.process_time() - start


def _feeds(documents: Sequence[bytes]) -> None:
    rows: list[tuple[str, Callable[[bytes], int]]] = [
        ("feedparser.parse", lambda document: len(feedparser.parse(document).entries)),
        ("fast path: parse only", lambda document: len(elements.entries(parse(decode(document))[0]))),
        ("whole step", lambda document: _items(document, {})),
    ]
    print(f"\n{len(documents)} feeds, {sum(map(len, documents)) / 1e6:.1f} MB")
    slowest = 0.0
    for name, run in rows:
        start = time.process_time()
        count = sum(map(run, documents))
        seconds = time.process_time() - start
        slowest = slowest or seconds
        print(f"{name:<34}{count / seconds:>10,.0f} entries/s{slowest / seconds:>8.1f} times feedparser")


def _memory() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    document = _rss(15_000)
    count = _items(document, {})
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"\n{len(document) / 1e6:.0f} MB of {count:,} entries in one document: {(after - before) / 1024:,.0f} MiB more"
    )


if __name__ == "__main__":
    main()
