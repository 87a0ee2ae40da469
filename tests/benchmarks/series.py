"""Whether series and tails stay apart: stories lost, and repeats found, by kind and language.

    python -m tests.benchmarks.series [--seed 1] [--days 30] [--half seen|unseen|both] [--faults 0]

The stream is that of `series_stream`, through the steps normalise and deduplicate. A distinct story is *lost* where it
is called a duplicate, and *joined* where it is put into the chain of another one. *Recall* is the share of repeats
that are in the chain of their story, *hidden* that of those that are called duplicates; *versions* the share of later
versions that are updates of their story.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from config.settings import Settings
from processors.errors import Rejected
from processors.model.event import Event, Lineage, RawItem
from streams.steps import load_stage
from tests.benchmarks.series_stream import HALVES, KINDS, LANGUAGES, SeriesStory, make_stream

BATCH = 64  # stories that the steps get together


@dataclass
class SeriesTally:
    """What came of the stories of one kind or language."""

    counts: Counter[str] = field(default_factory=Counter)

    def add(self, story: SeriesStory, lineage: Lineage, of: Lineage | None) -> str | None:
        """Count a story with its lineage and that of the one that it repeats; the fault, if it is one."""
        counts = self.counts
        counts[story.mark] += 1
        if of is None:
            counts["lost"] += lineage.relation == "duplicate"
            counts["joined"] += lineage.story != story.uri
            return (
                "lost"
                if lineage.relation == "duplicate"
                else "joined"
                if lineage.story != story.uri
                else None
            )
        found = lineage.story == of.story
        if story.mark == "repeat":
            counts["found"] += found
            counts["hidden"] += found and lineage.relation == "duplicate"
            return ("shown" if lineage.relation != "duplicate" else None) if found else "missed"
        counts["updated"] += found and lineage.relation == "update"
        return None if found and lineage.relation == "update" else "version"

    def share(self, part: str, whole: str) -> float:
        """A count as a share of another; 1 of nothing."""
        return self.counts[part] / self.counts[whole] if self.counts[whole] else 1.0


def decide(stories: Sequence[SeriesStory]) -> list[Lineage]:
    """The lineage of each story, as the pipeline gives it."""
    settings = Settings()
    normalise, deduplicate = load_stage("normalise", settings), load_stage("deduplicate", settings)
    lineages: list[Lineage] = []
    for batch in batches(stories):
        items = [
            RawItem(
                json.dumps(story.ninjs(), ensure_ascii=False).encode(), "2026-03-01T00:00:00Z", format="ninjs"
            )
            for story in batch
        ]
        events = list(read_events(normalise(items)))
        lineages += [event.lineage for event in read_events(deduplicate(events)) if event.lineage]
    return lineages


def read_events(outcomes: Iterable[object]) -> Iterator[Event]:
    """The events of a stage; what it refuses ends the run."""
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
        assert isinstance(outcome, tuple)
        for made in outcome:
            assert not isinstance(made, Rejected), made
            yield made.event


def batches(stories: Sequence[SeriesStory]) -> Iterator[Sequence[SeriesStory]]:
    """The stories as the steps get them."""
    for start in range(0, len(stories), BATCH):
        yield stories[start : start + BATCH]


def tally_stream(
    stories: Sequence[SeriesStory],
) -> tuple[dict[tuple[str, str, str], SeriesTally], list[tuple[str, SeriesStory, Lineage]]]:
    """The tallies by half, kind and language, and the faults."""
    lineages = decide(stories)
    by_uri: dict[str, Lineage] = {}
    tallies: dict[tuple[str, str, str], SeriesTally] = defaultdict(SeriesTally)
    faults: list[tuple[str, SeriesStory, Lineage]] = []
    for story, lineage in zip(stories, lineages, strict=True):
        by_uri.setdefault(story.uri, lineage)
        fault = tallies[story.half, story.kind, story.language].add(
            story, lineage, by_uri[story.of] if story.of else None
        )
        if fault:
            faults.append((fault, story, lineage))
    return tallies, faults


def join_tallies(tallies: Iterable[SeriesTally]) -> SeriesTally:
    """One tally of several."""
    joined = SeriesTally()
    for tally in tallies:
        joined.counts += tally.counts
    return joined


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--days", type=int, default=30)
    options.add_argument("--half", choices=(*HALVES, "both"), default="both")
    options.add_argument("--languages", default=",".join(LANGUAGES))
    options.add_argument(
        "--faults", type=int, default=0, help="print so many of the stories that came out wrong"
    )
    given = options.parse_args()
    halves = HALVES if given.half == "both" else (given.half,)
    stories = make_stream(given.seed, given.days, tuple(given.languages.split(",")), halves)
    tallies, faults = tally_stream(stories)
    heads = ("", "distinct", "lost", "joined", "repeats", "recall", "hidden", "versions", "updates")
    for half in halves:
        print("".join(f"{head:>10}" for head in (half, *heads[1:])))
        for number, names in ((1, KINDS), (2, given.languages.split(","))):
            for name in names:
                print_row(
                    name,
                    join_tallies(
                        tally for key, tally in tallies.items() if (key[0], key[number]) == (half, name)
                    ),
                )
        print_row("all", join_tallies(tally for key, tally in tallies.items() if key[0] == half))
    for fault, story, lineage in faults[: given.faults]:
        print(f"{fault}: {story.uri} {story.mark} {story.kind} of {story.of}: {lineage}")
        print("   " + " | ".join((story.headline, *story.paragraphs, *story.tail))[:600])


def print_row(name: str, tally: SeriesTally) -> None:
    """Print a row of the table."""
    counts = tally.counts
    print(
        f"{name:>10}{counts['distinct']:10,}{counts['lost']:10,}{counts['joined']:10,}{counts['repeat']:10,}"
        f"{tally.share('found', 'repeat'):10.3f}{tally.share('hidden', 'repeat'):10.3f}"
        f"{counts['version']:10,}{tally.share('updated', 'version'):10.3f}"
    )


if __name__ == "__main__":
    main()
