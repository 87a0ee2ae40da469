"""How many stories the segment step takes apart in a second of CPU time, without quotations and with them.

    python -m tests.benchmarks.segment [--corpus ../shared/corpus/reuters21578] [--every N] [--rounds N]
    python -m tests.benchmarks.segment --hostile

The stories are those of Reuters-21578 that have a dateline and a body, in the wire's own setting (lines of some 65
characters, paragraphs by indent), and once more with a paragraph a line and blank lines between them. Of the rounds,
which alternate, the best counts: on a machine with other work the rest tell of that work.

`--hostile` measures instead how long a body of a megabyte takes that nobody would write: the same piece again and again
below a dateline. The pieces are the slowest of some 1,500 that were tried.
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

from config.settings import SegmentSettings
from processors.model.event import Event, Language, Provenance
from processors.model.story import Story
from processors.normalise.text import clean_text
from processors.segment import segment

ROOT: Final = Path(__file__).resolve().parents[2]
STORY: Final = re.compile(r"<DATELINE>(.*?)</DATELINE>\s*<BODY>(.*?)</BODY>", re.DOTALL)
SIGNED: Final = re.compile(r"\s*Reuter\s*\x03?\s*$", re.IGNORECASE)
MEGABYTE: Final = 1_000_000  # characters
OPENED: Final = "ASHMERE, Jan 2 (AP) - The council of Ashmere voted on Friday to plant trees.\n\n"
HOSTILE: Final = (
    ("en", "aaa\tbbb\n"),
    ("en", '"a" said b. '),
    ("en", "a | b\n"),
    ("en", "(1) x\n\n"),
    ("en", "by a\n"),
    ("en", "the of \n"),
    ("en", "$ million \n"),
    ("en", "Ãƒ\n"),
    ("en", "a?b\n\n"),
    ("en", "Short line\n"),
    ("en", "A said.\n\n"),
    ("en", "Q. A? "),
    ("en", "told "),
    ("en", "has been said "),
    ("en", "A said that “b c” "),
    ("en", "“A b,” he said. "),
    ("en", "「a」\n"),
    ("en", "‘a\n\n"),
    ("en", "'a'\n"),
    ("de", "laut A "),
    ("de", "»a«\n"),
    ("fr", "A dit que b.\n\n"),
    ("es", "— a, b "),
    ("sv", "– A, säger B.\n"),
)  # language and piece


def stories(folder: Path) -> Iterator[str]:
    """Dateline and body of each story, as the wire set them."""
    for path in sorted(folder.glob("*.sgm.gz")):
        text = gzip.decompress(path.read_bytes()).decode("latin-1")
        for dateline, body in STORY.findall(text):
            yield clean_text(html.unescape(f"    {dateline.strip()} {SIGNED.sub('', body)}"))


def unwrapped(story: str) -> str:
    """The same with a paragraph a line and blank lines between them."""
    return "\n\n".join(" ".join(part.split()) for part in re.split(r"\n\s{2,}", story) if part.strip())


def event_of(text: str, language: str = "en") -> Event:
    """The story as normalise hands it on."""
    return Event(
        Story("urn:story", version_created="1987-03-01T00:00:00Z"),
        text=text,
        language=Language(language, 1.0),
        provenance=Provenance("2026-11-22T18:00:00Z", "plain-text"),
    )


def per_second(texts: Sequence[str], *, quoted: bool) -> float:
    """Stories a second of this process's CPU time."""
    settings = SegmentSettings()
    events = list(map(event_of, texts))
    with nullcontext() if quoted else patch("processors.segment.find_quotes", lambda *_: ()):
        began = time.process_time()
        for event in events:
            segment(event, settings)
        return len(events) / (time.process_time() - began)


def seconds(piece: str, language: str) -> float:
    """CPU time of a megabyte of the piece."""
    event = event_of(OPENED + piece * (MEGABYTE // len(piece)), language)
    began = time.process_time()
    segment(event, SegmentSettings())
    return time.process_time() - began


def measure_hostile() -> None:
    """Measure and print, a row a piece."""
    print("| a megabyte of | CPU seconds |\n| --- | --- |")
    for language, piece in HOSTILE:
        seconds(piece[:1], language)  # reads the words of the language
        print(f"| `{piece!r}` | {min(seconds(piece, language) for _ in range(2)):.2f} |")


def main() -> None:
    """Measure and print, a row a setting."""
    made = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    default = ROOT.parent / "shared" / "corpus" / "reuters21578"
    made.add_argument("--corpus", type=Path, default=default)
    made.add_argument("--every", type=int, default=9, metavar="N", help="take one story in N")
    made.add_argument("--rounds", type=int, default=5)
    made.add_argument("--hostile", action="store_true", help="measure megabytes that nobody would write")
    options = made.parse_args()
    if options.hostile:
        measure_hostile()
        return
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
