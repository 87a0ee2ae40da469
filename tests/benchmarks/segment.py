"""How many stories the segment step takes apart in a second of CPU time, without quotations and with them.

    python -m tests.benchmarks.segment [--corpus ../shared/corpus/reuters21578] [--every N] [--rounds N]

The stories are those of Reuters-21578 that have a dateline and a body, in the wire's own setting (lines of some 65
characters, paragraphs by indent), and once more with a paragraph a line and blank lines between them. Of the rounds,
which alternate, the best counts: on a machine with other work the rest tell of that work.
"""

from __future__ import annotations

import argparse
import gzip
import html
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Final
from unittest.mock import patch

from config.settings import Segment as SegmentSettings
from processors.event import Event, Language, Provenance
from processors.normalise.text import clean
from processors.segment import segment
from processors.story import Story

ROOT: Final = Path(__file__).resolve().parents[2]
STORY: Final = re.compile(r"<DATELINE>(.*?)</DATELINE>\s*<BODY>(.*?)</BODY>", re.DOTALL)
SIGNED: Final = re.compile(r"\s*Reuter\s*\x03?\s*$", re.IGNORECASE)


def stories(folder: Path) -> Iterator[str]:
    """Dateline and body of each story, as the wire set them."""
    for path in sorted(folder.glob("*.sgm.gz")):
        text = gzip.decompress(path.read_bytes()).decode("latin-1")
        for dateline, body in STORY.findall(text):
            yield clean(html.unescape(f"    {dateline.strip()} {SIGNED.sub('', body)}"))


def unwrapped(story: str) -> str:
    """The same with a paragraph a line and blank lines between them."""
    return "\n\n".join(" ".join(part.split()) for part in re.split(r"\n\s{2,}", story) if part.strip())


def per_second(texts: Sequence[str], *, quoted: bool) -> float:
    """Stories a second of this process's CPU time."""
    settings = SegmentSettings()
    events = [
        Event(
            Story(f"urn:story:{number}", version_created="1987-03-01T00:00:00Z"),
            text=text,
            language=Language("en", 1.0),
            provenance=Provenance("2026-11-22T18:00:00Z", "plain-text"),
        )
        for number, text in enumerate(texts)
    ]
    with nullcontext() if quoted else patch("processors.segment.find_quotes", lambda *_: ()):
        began = time.process_time()
        for event in events:
            segment(event, settings)
        return len(events) / (time.process_time() - began)


def main() -> None:
    """Measure and print, a row a setting."""
    made = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    default = ROOT.parent / "shared" / "corpus" / "reuters21578"
    made.add_argument("--corpus", type=Path, default=default)
    made.add_argument("--every", type=int, default=9, metavar="N", help="take one story in N")
    made.add_argument("--rounds", type=int, default=5)
    options = made.parse_args()
    wired = list(stories(options.corpus))[:: options.every]
    settings = {"as the wire": wired, "a paragraph a line": [unwrapped(story) for story in wired]}
    print(
        f"{len(wired)} stories, {sum(len(text.split()) for text in wired) / len(wired):.0f} words on average\n"
    )
    print("| set | stories/s without quotations | with |\n| --- | --- | --- |")
    for name, texts in settings.items():
        per_second(texts[:50], quoted=True)
        rounds = [
            (per_second(texts, quoted=False), per_second(texts, quoted=True)) for _ in range(options.rounds)
        ]
        plain, full = (max(column) for column in zip(*rounds, strict=True))
        print(f"| {name} | {plain:,.0f} | {full:,.0f} |")


if __name__ == "__main__":
    main()
