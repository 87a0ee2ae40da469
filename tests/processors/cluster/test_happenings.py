"""Reports of invented happenings in six languages: of kinds that must stand together, and of kinds that must stay apart.

`happenings_a.txt` was looked at while the step was made and its trees were grown on it; `happenings_b.txt` was not. A line has
the happening, the time of 2026, the language, the source, the headline and the text.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from config.settings import Settings
from processors.model.event import Event, RawItem
from streams.process import Input, Pipeline, chosen_steps

STEPS = ("normalise", "segment", "tag", "cluster")


def read_reports(half: str) -> list[tuple[str, bytes]]:
    """The happening of each report and its ninjs, in order of time."""
    lines = Path(__file__).with_name(f"happenings_{half}.txt").read_text("utf-8").splitlines()
    rows = [line.split("|") for line in lines if line and not line.startswith("#")]
    return [
        (
            happening,
            json.dumps(
                {
                    "uri": f"urn:happenings:{number}",
                    "type": "text",
                    "versionCreated": f"2026-{at[:2]}-{at[2:4]}T{at[5:7]}:{at[7:]}:00Z",
                    "language": language,
                    "infosources": [{"name": source}],
                    "headline": headline,
                    "body_text": text,
                }
            ).encode(),
        )
        for number, (happening, at, language, source, headline, text) in enumerate(
            sorted(rows, key=lambda row: row[1])
        )
    ]


def b_cubed(found: list[str], told: list[str]) -> float:
    """Bagga and Baldwin 1998: the F1 of how pure each report's cluster is, and how whole its happening."""
    both, clusters, happenings = Counter(zip(found, told, strict=True)), Counter(found), Counter(told)
    precision = sum(both[pair] / clusters[pair[0]] for pair in zip(found, told, strict=True)) / len(told)
    recall = sum(both[pair] / happenings[pair[1]] for pair in zip(found, told, strict=True)) / len(told)
    return 2 * precision * recall / (precision + recall)


@pytest.mark.parametrize(("half", "floor"), [("a", 0.94), ("b", 0.89)])
def test_reports_of_one_happening_stand_together_and_others_of_its_kind_apart(
    half: str, floor: float
) -> None:
    reports = read_reports(half)
    pipeline = Pipeline(chosen_steps(STEPS), Settings())
    items = [RawItem(ninjs, "2026-06-01T00:00:00Z", format="ninjs") for _, ninjs in reports]
    results = pipeline([Input("happenings", number, item) for number, item in enumerate(items)])
    found = [
        result.event.cluster.id
        for result in results
        if isinstance(result.event, Event) and result.event.cluster is not None
    ]
    score = b_cubed(found, [happening for happening, _ in reports])
    assert score >= floor, f"{score:.3f}"
