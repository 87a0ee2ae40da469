"""What the normalise step costs, format by format, on one core.

``python -m tests.benchmarks.normalise [--feeds FOLDER] [--memory]`` prints items a CPU second for documents made here of
invented stories. For a folder of feeds it compares with feedparser in the same run, on the same work: the bytes of a
document in, its entries out, on the documents that the fast path takes; and it tells what the whole step costs, which
also makes text of HTML, identifies the language and writes the story. ``--memory`` runs ``wiredesk process`` over files
of 100 MB and tells the most memory it held.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import feedparser
import orjson
from msgspec.structs import replace

from config.settings import Normalise
from processors.errors import Rejected
from processors.model.event import RawItem
from processors.normalise import normalise
from processors.normalise.decode import decode
from processors.normalise.feeds import entries_by_lxml
from processors.normalise.formats import FORMATS
from processors.normalise.xml import parse_xml

SENTENCE = "The council of Port Alder said on Monday that it would repair the wall of the harbour by spring. "
RECEIVED = "2026-01-22T16:00:00Z"
GOLDEN = Path(__file__).parents[1] / "processors" / "normalise" / "golden"
SETTINGS = Normalise(max_item_bytes=1 << 30, max_entries=1_000_000)
WHOLE = replace(SETTINGS, feed_markup=True)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--feeds", type=Path, help="a folder of feed documents")
    options.add_argument("--memory", action="store_true", help="measure memory over files of 100 MB")
    options.add_argument("--seconds", type=float, default=2.0, help="CPU seconds a row")
    told = options.parse_args()
    print(f"{'document':<34}{'items/s':>10}{'µs an item':>12}")
    for name, payload, envelope in _documents():
        count, seconds = _timed(lambda p=payload, e=envelope: _items(p, e), told.seconds)  # type: ignore[misc]
        print(f"{name:<34}{count / seconds:>10,.0f}{seconds / count * 1e6:>12,.0f}")
    if told.feeds:
        _feeds([path.read_bytes() for path in sorted(told.feeds.iterdir())])
    if told.memory:
        _memory()


def _documents() -> list[tuple[str, bytes, dict[str, Any]]]:
    line = {
        "uri": "urn:example:1", "version": "1", "versionCreated": "2026-01-22T12:00:00Z", "language": "en",
        "headlines": [{"role": "main", "value": "Harbour wall to be repaired"}],
        "bodies": [{"role": "main", "contentType": "text/plain", "value": SENTENCE * 16}],
    }  # fmt: skip
    bare = {name: value for name, value in line.items() if name != "language"}
    golden: list[tuple[str, bytes, dict[str, Any]]] = [
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


def _items(payload: bytes, envelope: dict[str, Any], settings: Normalise = SETTINGS) -> int:
    try:
        return len(normalise(RawItem(payload, RECEIVED, **envelope), settings))
    except Rejected:
        return 0


def _timed(run: Callable[[], int], seconds: float) -> tuple[int, float]:
    run()
    count, start = 0, time.process_time()
    while time.process_time() - start < seconds:
        count += run()
    return count, time.process_time() - start


def _feeds(documents: Sequence[bytes]) -> None:
    fast = [document for document in documents if _takes(document)]
    bare = {"sanitize_html": False, "resolve_relative_uris": False}
    print(
        f"\n{len(documents)} feeds, {sum(map(len, documents)) / 1e6:.1f} MB; the fast path takes {len(fast)}"
    )
    rows: list[tuple[str, Sequence[bytes], Callable[[bytes], int]]] = [
        ("feedparser: bytes to entries", fast, lambda document: len(feedparser.parse(document).entries)),
        (
            "feedparser without sanitising",
            fast,
            lambda document: len(feedparser.parse(document, **bare).entries),
        ),
        (
            "fast path: bytes to entries",
            fast,
            lambda document: len(entries_by_lxml(parse_xml(decode(document))[0], FORMATS)[1]),
        ),
        ("whole step", fast, lambda document: _items(document, {})),
        ("whole step, all feeds", documents, lambda document: _items(document, {})),
        ("whole step with markup", documents, lambda document: _items(document, {}, WHOLE)),
    ]
    slowest = 0.0
    for name, sent, run in rows:
        start = time.process_time()
        count = sum(map(run, sent))
        seconds = time.process_time() - start
        slowest = slowest or seconds / count
        rate = count / seconds
        print(f"{name:<34}{rate:>10,.0f} entries/s{slowest * rate:>8.1f} times feedparser")


def _takes(document: bytes) -> bool:
    """Whether the fast path reads a document alone, with all the entries that feedparser finds in it."""
    try:
        root, damage = parse_xml(decode(document))
    except Rejected:
        return False
    return not damage and 0 < len(entries_by_lxml(root, FORMATS)[1]) >= len(
        feedparser.parse(document).entries
    )


FILES: dict[str, tuple[str, str, str]] = {
    "feed.xml": (
        "<rss version='2.0'><channel><title>C</title><language>en</language>",
        "<item><title>Harbour wall {n}</title><guid>https://courier.example/{n}</guid><description>{words}</description></item>\n",
        "</channel></rss>",
    ),
    "message.xml": (
        "<newsMessage xmlns='http://iptc.org/std/nar/2006-10-01/'><itemSet>",
        ("<newsItem guid='urn:newsml:nna.example:20260122:{n}'><contentMeta><headline>Harbour wall {n}</headline></contentMeta>"
        "<contentSet><inlineXML><p xmlns='http://www.w3.org/1999/xhtml'>{words}</p></inlineXML></contentSet></newsItem>\n"),
        "</itemSet></newsMessage>",
    ),
    "lines.jsonl": (
        "", '{{"uri":"urn:example:{n}","language":"en","headline":"Harbour wall {n}","body_text":"{words}"}}\n', "",
    ),
    "dispatches.txt": ("", "ZCZC NNA{n}\nHarbour wall {n} to be repaired\n\nPORT ALDER (NNA) - {words}\nNNNN\n", ""),
}  # fmt: skip


def _memory() -> None:
    """The most memory that the command holds over 100 MB of items in one file."""
    with tempfile.TemporaryDirectory() as folder:
        for name, (head, item, tail) in FILES.items():
            path = Path(folder) / name
            with path.open("w") as stream:
                stream.write(head)
                stream.writelines(item.format(n=n, words=SENTENCE * 16) for n in range(60_000))
                stream.write(tail)
            command = ["wiredesk", "process", "--steps", "normalise", str(path)]
            with subprocess.Popen(command, stdout=subprocess.PIPE) as running:
                count = sum(1 for _ in running.stdout or ())
                _, _, used = os.wait4(running.pid, 0)
                running.returncode = 0
            print(
                f"{path.stat().st_size / 1e6:.0f} MB of {name}: {count:,} events, at most {used.ru_maxrss / 1024:,.0f} MiB"
            )
            path.unlink()


if __name__ == "__main__":
    main()
