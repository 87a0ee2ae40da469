"""Verdicts on marked pairs in many languages: what adds or changes something is an update, house style a duplicate.

``python -m tests.processors.deduplicate.test_verdicts FILE [0|1]`` lists what is judged otherwise in ``verdicts.toml``
or ``trades.toml``, of one half or of both.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from config.settings import Deduplicate
from processors.deduplicate import Deduplicator, StoryDecision
from processors.model.event import Event, Language
from processors.model.story import Story

FILES = ("verdicts.toml", "trades.toml")


@dataclass(frozen=True)
class Pair:
    """Two stories, the later one made from the earlier, and the verdict on the later one.

    One `half` was looked at while the rules were made, the other was run when they were done.
    """

    section: str
    kind: str
    verdict: str
    half: int
    earlier: tuple[str, str]
    later: tuple[str, str]

    def __str__(self) -> str:
        return f"{self.section} {self.kind}"

    @property
    def language(self) -> str:
        return self.section.partition("-")[0]

    def is_right(self, relation: str) -> bool:
        """Whether a relation is the one that was marked; what must be shown is any but a duplicate."""
        return relation != "duplicate" if self.verdict == "shown" else relation == self.verdict


def read_pairs(name: str) -> Iterator[Pair]:
    text = Path(__file__).with_name(name).read_text("utf-8")
    for number, (section, report) in enumerate(tomllib.loads(text).items()):
        for place, pair in enumerate(report["pairs"]):
            yield Pair(
                section, pair["kind"], pair["verdict"], (number + place) % 2,
                (report["headline"], "\n\n".join(_first(report, pair))),
                (pair.get("headline", report["headline"]), _later(report["paragraphs"], pair)),
            )  # fmt: skip


def _first(report: dict[str, Any], pair: dict[str, Any]) -> list[str]:
    return [report["paragraphs"][number] for number in pair.get("first", range(len(report["paragraphs"])))]


def _later(paragraphs: list[str], pair: dict[str, Any]) -> str:
    order = pair.get("order", range(len(paragraphs)))
    kept = [paragraphs[number] for number in order if number not in pair.get("drop", ())]
    if "add" in pair:
        place, words = pair["add"]
        kept.insert(place, words)
    text = "\n\n".join([*kept, *([pair["end"]] if "end" in pair else [])])
    for old, new in pair.get("replace", ()):
        text = text.replace(old, new)
    return text


def decide_pair(pair: Pair) -> StoryDecision:
    events = [
        Event(
            Story(f"urn:{at}", version_created=f"2026-01-12T{10 + at}:00:00Z"),
            headline, text, Language(pair.language, 1.0),
        )
        for at, (headline, text) in enumerate((pair.earlier, pair.later))
    ]  # fmt: skip
    return Deduplicator(Deduplicate()).decide_all(events)[1]


def find_faults(pairs: list[Pair]) -> list[str]:
    faults = []
    for pair in pairs:
        decision = decide_pair(pair)
        if not pair.is_right(decision.lineage.relation):
            passages = [
                f"{new.kind}: {pair.later[new.inside == 'text'][new.start : new.end]}"
                for new in decision.novel
            ]
            faults.append(f"{pair}: {decision.lineage.relation} {decision.lineage.score} {passages}")
    return faults


PAIRS_BY_SECTION: dict[str, list[Pair]] = {}
for name in FILES:
    for marked in read_pairs(name):
        PAIRS_BY_SECTION.setdefault(marked.section, []).append(marked)


@pytest.mark.parametrize("section", PAIRS_BY_SECTION)
def test_verdicts(section: str) -> None:
    assert find_faults(PAIRS_BY_SECTION[section]) == []


if __name__ == "__main__":
    halves = [int(half) for half in sys.argv[2:]] or [0, 1]
    chosen = [pair for pair in read_pairs(sys.argv[1]) if pair.half in halves]
    faults = find_faults(chosen)
    print(*faults, f"{len(chosen) - len(faults)} of {len(chosen)}", sep="\n")
