"""Grow the trees of `processors.cluster.likeness` on labelled reports: what `make clusters` runs.

    wiredesk process --steps normalise,deduplicate,segment,tag REPORTS.jsonl > EVENTS.jsonl
    python -m tests.benchmarks.train_clusters EVENTS.jsonl LABELS.jsonl [MORE-EVENTS MORE-LABELS]… [--half first|second]

LABELS has a line a report with its `id` (the story's uri) and `cluster`. Every pair of reports within a week is an example,
with the window's counts as they were when the later one came. With `--half` only events whose label's hash is even or odd
are read of the first pair of files, so that the other half can be scored.

Gradient boosting with Newton's steps on oblivious trees; a figure that `PAIR_FIGURES` marks goes one way only. Pairs of an
event of many reports weigh less, those of the further files double. The same input gives the same trees, in some seconds.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import xxhash
from numpy.typing import NDArray

from config.settings import ClusterSettings
from processors.cluster.likeness import LEAF_UNIT, PAIR_FIGURES, TREES_FILE, HashCounts, lay_beside
from processors.cluster.outline import Outline, read_outline
from processors.cluster.words import load_table
from processors.model.codec import decode
from processors.model.event import Event
from processors.times import HOUR_MS

MAX_EARLIER: Final = 400  # reports that each is laid beside
HALVES: Final = {"first": (0,), "second": (1,), "both": (0, 1)}
TREE_COUNT: Final = 150  # of 100 to 200 the other halves' scores differ by .005
LEVELS: Final = (
    4  # with three questions names, wording and place are not asked together, five learn single events
)
STEP: Final = 0.08
RIDGE: Final = 3.0
SAMPLED_ROWS: Final = 0.6
SAMPLED_FIGURES: Final = 0.6
MIN_SPLIT_WEIGHT: Final = 1.0
BINS: Final = 24
FURTHER_WEIGHT: Final = 2.0

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LabelledPairs:
    """Figures of pairs (pairs × `PAIR_FIGURES`), 1 for those of one event, and what each counts."""

    figures: Floats
    same: Floats
    weights: Floats


def main() -> None:
    """Lay side by side, grow, write."""
    options = _options()
    pairs: list[LabelledPairs] = []
    for number, (events, labels) in enumerate(zip(options.files[::2], options.files[1::2], strict=True)):
        found = label_pairs(events, labels, HALVES["both" if number else options.half])
        pairs.append(
            LabelledPairs(found.figures, found.same, found.weights * (FURTHER_WEIGHT if number else 1))
        )
    figures, same, weights = (
        np.concatenate([getattr(part, name) for part in pairs]) for name in ("figures", "same", "weights")
    )
    grow_trees(figures, same, weights, options.out)
    print(f"{len(same)} pairs, {int(same.sum())} of one event; trees in {options.out}")


def label_pairs(events_file: Path, labels_file: Path, halves: tuple[int, ...]) -> LabelledPairs:
    """The pairs of reports that come within a window."""
    labels = {line["id"]: str(line["cluster"]) for line in map(json.loads, labels_file.open("rb"))}
    events = [decode(line.strip(), Event) for line in events_file.open("rb")]
    events = [event for event in events if _half_of(labels[event.story.uri]) in halves]
    told = [labels[event.story.uri] for event in events]
    sizes = Counter(told)
    table, counts = load_table(), HashCounts()
    outlines: list[Outline] = []
    rows: list[Floats] = []
    same: list[bool] = []
    weights: list[float] = []
    window_ms = ClusterSettings().window_hours * HOUR_MS
    for number, event in enumerate(events):
        outline = read_outline(event, table)
        earlier = [
            other
            for other in range(max(0, number - MAX_EARLIER), number)
            if abs(outline.at_ms - outlines[other].at_ms) <= window_ms
        ]
        if earlier:
            rows.append(lay_beside(outline, [outlines[other] for other in earlier], table, counts))
            same += [told[other] == told[number] for other in earlier]
            weights += [
                (sizes[told[number]] - 1) ** -0.5 if told[other] == told[number] else 1.0 for other in earlier
            ]
        outlines.append(outline)
        counts.add(outline.names + outline.numbers + outline.own_words + outline.things)
    return LabelledPairs(np.concatenate(rows), np.array(same, np.float64), np.array(weights))


def grow_trees(figures: Floats, same: Floats, weights: Floats, out: Path) -> None:
    """Grow `TREE_COUNT` trees and write them."""
    draw = np.random.default_rng(1)
    thresholds = [_choose_thresholds(column) for column in figures.T]
    binned = np.stack([np.searchsorted(of, column) for of, column in zip(thresholds, figures.T, strict=True)])
    base = float(np.log((weights * same).sum() / (weights * (1 - same)).sum()))
    odds = np.full(len(same), base)
    asked, above, leaves = [], [], []
    for _ in range(TREE_COUNT):
        likely = 1 / (1 + np.exp(-odds))
        rows = np.flatnonzero(draw.random(len(same)) < SAMPLED_ROWS)
        slope, curve = weights * (same - likely), weights * likely * (1 - likely)
        tree = _grow_tree(binned[:, rows], slope[rows], curve[rows], thresholds, draw)
        leaf = np.zeros(len(same), np.intp)
        for figure, place in tree:
            leaf = leaf * 2 + (binned[figure] > place)
        tops = np.bincount(leaf[rows], slope[rows], 1 << LEVELS)
        values = np.round(
            LEAF_UNIT * STEP * tops / (np.bincount(leaf[rows], curve[rows], 1 << LEVELS) + RIDGE)
        )
        odds += values[leaf] / LEAF_UNIT
        asked.append([figure for figure, _ in tree])
        above.append([thresholds[figure][place] for figure, place in tree])
        leaves.append(values)
    np.savez_compressed(
        out,
        figures=np.array(asked, np.uint8),
        thresholds=np.array(above),
        leaves=np.array(leaves, np.int32),
        base=np.array(round(base * LEAF_UNIT)),
    )


def _grow_tree(
    binned: NDArray[np.intp],
    slope: Floats,
    curve: Floats,
    thresholds: list[Floats],
    draw: np.random.Generator,
) -> list[tuple[int, int]]:
    """The question of each level: a figure, and the place of its threshold."""
    leaf = np.zeros(len(slope), np.intp)
    width = max(map(len, thresholds)) + 1
    tree: list[tuple[int, int]] = []
    ways = list(PAIR_FIGURES.values())
    for level in range(LEVELS):
        size = 1 << level
        best: tuple[float, int, int] | None = None
        for figure in np.flatnonzero(draw.random(len(binned)) < SAMPLED_FIGURES).tolist():
            count = len(thresholds[figure])
            key = leaf * width + binned[figure]
            tops, ends = (
                np.bincount(key, values, size * width).reshape(size, width) for values in (slope, curve)
            )
            top, end = np.cumsum(tops, axis=1)[:, :count], np.cumsum(ends, axis=1)[:, :count]
            rest_top, rest_end = tops.sum(axis=1, keepdims=True) - top, ends.sum(axis=1, keepdims=True) - end
            low, high = top / (end + RIDGE), rest_top / (rest_end + RIDGE)
            gain = (top * low + rest_top * high).sum(axis=0)
            is_wrong = ((high - low) * ways[figure] < 0) & (np.minimum(end, rest_end) > MIN_SPLIT_WEIGHT / 2)
            is_thin = np.minimum(end.sum(axis=0), rest_end.sum(axis=0)) < MIN_SPLIT_WEIGHT
            gain[is_wrong.any(axis=0) | is_thin] = -1.0
            if count and (best is None or gain.max() > best[0]):
                best = float(gain.max()), figure, int(gain.argmax())
        _, figure, place = best or (0.0, 0, 0)
        tree.append((figure, place))
        leaf = leaf * 2 + (binned[figure] > place)
    return tree


def _choose_thresholds(column: Floats) -> Floats:
    """Between all values of a figure that has few, else at shares of the pairs and of its range."""
    values = np.unique(column)
    if len(values) <= BINS:
        return (values[1:] + values[:-1]) / 2
    shares = np.quantile(column, np.linspace(0, 1, BINS + 1)[1:-1])
    return np.unique(np.concatenate((shares, np.linspace(values[0], values[-1], BINS // 2 + 1)[1:-1])))


def _half_of(label: str) -> int:
    return xxhash.xxh32_intdigest(label.encode()) % 2


def _options() -> argparse.Namespace:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("files", type=Path, nargs="+", help="events and labels, in pairs")
    made.add_argument("--half", choices=HALVES, default="both")
    made.add_argument("--out", type=Path, default=TREES_FILE)
    return made.parse_args()


if __name__ == "__main__":
    main()
