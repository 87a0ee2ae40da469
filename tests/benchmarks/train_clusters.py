"""Fit the weights of `processors.cluster.likeness` on labelled reports, and print them to be put there.

    wiredesk process REPORTS.jsonl > EVENTS.jsonl
    python -m tests.benchmarks.train_clusters EVENTS.jsonl LABELS.jsonl [--half first|second|both]

LABELS has a line a report with its `id` (the story's uri) and `cluster`. Every pair of reports within a week is an example;
of a half are the events whose label's hash is even or odd, so that the other half can be scored. Ridge logistic
regression by Newton's method, in some twenty seconds.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import xxhash
from numpy.typing import NDArray

from config.settings import ClusterSettings
from processors.cluster.likeness import PAIR_FIGURES, HashCounts, lay_beside
from processors.cluster.outline import Outline, read_outline
from processors.cluster.words import load_table
from processors.model.codec import decode
from processors.model.event import Event
from processors.times import HOUR_MS
from tests.benchmarks.invented_events import invent_reports

MAX_EARLIER: Final = 400  # reports that each is laid beside
RIDGE: Final = 1.0
ROUNDS: Final = 30
INVENTED_EVENTS: Final = 250  # beside the labelled ones: of one kind in like words, apart
HALVES: Final = {"first": (0,), "second": (1,), "both": (0, 1)}

Floats = NDArray[np.float64]


def main() -> None:
    """Lay side by side, fit, print."""
    options = _options()
    labels = {line["id"]: line["cluster"] for line in map(json.loads, options.labels.open("rb"))}
    events = [decode(line.strip(), Event) for line in options.events.open("rb")]
    figures, same = label_pairs(events, labels, HALVES[options.half])
    invented = invent_reports(1, INVENTED_EVENTS)
    happenings = {report.event.story.uri: report.happening for report in invented}
    more, more_same = label_pairs([report.event for report in invented], happenings, HALVES[options.half])
    figures, same = np.concatenate((figures, more)), np.concatenate((same, more_same))
    weights, base = fit_weights(figures, same)
    print(f"{len(same)} pairs, {int(same.sum())} of one event")
    print(f"BASE_LOG_ODDS: {base:.3f}")
    for name, weight in zip(PAIR_FIGURES, weights, strict=True):
        print(f"{name:16} {weight:7.3f}")


def fit_weights(figures: Floats, same: Floats) -> tuple[Floats, float]:
    """Weights of the figures and what is added to their sum, so that it is the log-odds of ``same``."""
    mean, spread = figures.mean(axis=0), figures.std(axis=0) + 1e-9
    rows = np.column_stack((np.ones(len(figures)), (figures - mean) / spread))
    penalty = np.diag([0.0] + [RIDGE] * figures.shape[1])
    fitted = np.zeros(rows.shape[1])
    for _ in range(ROUNDS):
        likely = 1 / (1 + np.exp(-np.clip(rows @ fitted, -30, 30)))
        slope = rows.T @ (same - likely) - penalty @ fitted
        curve = (rows * (likely * (1 - likely))[:, None]).T @ rows + penalty
        fitted = fitted + np.linalg.solve(curve, slope)
    weights: Floats = fitted[1:] / spread
    return weights, float(fitted[0] - (weights * mean).sum())


def label_pairs(
    events: list[Event], labels: dict[str, Any], halves: tuple[int, ...]
) -> tuple[Floats, Floats]:
    """The figures of pairs (pairs × `PAIR_FIGURES`), and 1 for those of one event."""
    table, counts = load_table(), HashCounts()
    outlines: list[Outline] = [read_outline(event, table) for event in events]
    for outline in outlines:
        for packed in (outline.names, outline.numbers, outline.own_words, outline.things):
            counts.add(packed)
    told = [str(labels[event.story.uri]) for event in events]
    halved = [xxhash.xxh32_intdigest(label.encode()) % 2 for label in told]
    chosen = [number for number, half in enumerate(halved) if half in halves]
    rows: list[Floats] = []
    same: list[bool] = []
    for place, number in enumerate(chosen):
        earlier = [
            other
            for other in chosen[max(0, place - MAX_EARLIER) : place]
            if outlines[number].at_ms - outlines[other].at_ms <= ClusterSettings().window_hours * HOUR_MS
        ]
        if earlier:
            rows.append(lay_beside(outlines[number], [outlines[other] for other in earlier], table, counts))
            same += [told[other] == told[number] for other in earlier]
    return np.concatenate(rows), np.array(same, np.float64)


def _options() -> argparse.Namespace:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("events", type=Path)
    made.add_argument("labels", type=Path)
    made.add_argument("--half", choices=HALVES, default="both")
    return made.parse_args()


if __name__ == "__main__":
    main()
