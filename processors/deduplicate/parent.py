"""The earlier story that a story belongs to: by identifiers, by a quoted headline, by the same text, by likeness."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from processors.deduplicate.arrival import Arrival
from processors.deduplicate.fingerprint import fingerprint
from processors.deduplicate.keys import headline_keys, key, links
from processors.deduplicate.overlap import Overlap
from processors.deduplicate.score import HOUR_MS, SHORT, Likeness, jaccard, likeness
from processors.deduplicate.view import View
from processors.deduplicate.window import Reading, Window

NAMED: Final = 0.6  # headline likeness from which an advisory's quoted headline is the story's


class Parent(NamedTuple):
    """The earlier story that a story belongs to, and the figures by which it was found.

    `score` tells how like it is where its text was compared, `pair` what the two share where that was counted.
    """

    view: View
    evidence: dict[str, float]
    score: float | None = None
    pair: Overlap | None = None


def parent_of(story: Arrival, window: Window, reading: Reading) -> Parent | None:
    """The parent by the surest of the ways that find one, however unlikely it is. `reading` is the window's of it."""
    return (
        _by_identifier(story, window)
        or _by_name(story, window)
        or _by_content(story, window)
        or _by_text(story, window, reading)
    )


def _by_identifier(story: Arrival, window: Window) -> Parent | None:
    """The newest version of the story, or what the publisher says that it was made from."""
    item = story.event.story
    row = window.find(key("uri", item.uri))
    if row is not None and (view := window.view(row)).uri == item.uri:
        return Parent(view, {"by-uri": 1.0})
    for told in links(item):
        row = window.find(key("uri", told))
        if row is None:
            row = window.find(key("alt", told))
        if row is not None:
            return Parent(window.view(row), {"by-link": 1.0})
    return None


def _by_name(story: Arrival, window: Window) -> Parent | None:
    """The story whose headline an advisory, correction or kill quotes."""
    if not story.signals.names:
        return None
    named = fingerprint(story.signals.names, "")
    for told in headline_keys(named.title):
        row = window.find(told)
        if row is None:
            continue
        view = window.view(row)
        alike = jaccard(named.headline.tolist(), view.marks().headline)
        if alike >= NAMED:
            return Parent(view, {"by-name": 1.0, "headline": alike})
    return None


def _by_content(story: Arrival, window: Window) -> Parent | None:
    """The same text, word for word; under twenty words the headline, too."""
    made = story.made
    row = window.find(key("content", str(made.content)))
    if row is None:
        return None
    view = window.view(row)
    same = view.content == made.content and view.words == made.words and _is_near(story, window, view)
    if not same or not np.array_equal(view.shingles, made.shingles):
        return None
    if made.words < SHORT and view.marks().headline != made.headline.tolist():
        return None
    return Parent(view, {"by-content": 1.0}, 1.0)


def _by_text(story: Arrival, window: Window, reading: Reading) -> Parent | None:
    """The likest of the stories that share rare shingles, and of those that it comes from."""
    likely = _likely(story, window, reading, reading.rows)
    if not likely:
        return None
    best = max(likely, key=lambda found: found.score)  # the first of equals
    keys = int(best.features["shared-keys"])
    origins = [(row, keys) for row in window.origins(best.view)]
    for earlier in _likely(story, window, reading, origins):
        if earlier.score >= best.score:
            best = earlier
    hours = abs(story.time - best.view.time) / HOUR_MS
    return Parent(best.view, {**best.features, "hours": hours}, best.score, best.pair)


def _likely(
    story: Arrival, window: Window, reading: Reading, rows: Sequence[tuple[int, int]]
) -> list[Likeness]:
    """Those of the rows that may tell the same report; each comes with the number of keys it shares."""
    found: list[Likeness] = []
    pairs = window.compare(reading, [row for row, _ in rows])
    for row, keys in rows:
        pair = pairs[row]
        if pair is None or row < window.first or not _is_near(story, window, view := window.view(row)):
            continue
        if like := likeness(story.made, view, pair):
            like.features["shared-keys"] = float(keys)
            found.append(like)
    return found


def _is_near(story: Arrival, window: Window, view: View) -> bool:
    return abs(story.time - view.time) <= window.length
