"""Where a story stands: its parent, the relation to it, and the record that remembers the decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from config.settings import Deduplicate
from processors.deduplicate.arrival import Arrival, arrival
from processors.deduplicate.fingerprint import Fingerprint, Hashes, fingerprints
from processors.deduplicate.keys import content_keys, key, other_identifiers, state_of
from processors.deduplicate.parent import Parent, parent_of
from processors.deduplicate.record import KEYS, Record, UnknownFormat, stored
from processors.deduplicate.relation import related
from processors.deduplicate.score import HOUR_MS, novelty, shared
from processors.deduplicate.view import View
from processors.deduplicate.window import Reading, Window
from processors.model.event import Event, Feature, Lineage


@dataclass(frozen=True, slots=True)
class Decision:
    """Where a story stands, why, and the compact record that restores the deduplicator to after it.

    `memory` is empty for a story that was seen before: nothing new is to be remembered.
    """

    lineage: Lineage
    evidence: tuple[Feature, ...] = ()
    memory: bytes = b""


class Expected(NamedTuple):
    """What is known of an event before it is decided.

    `language` tells its window, `state` is a hash of everything that makes a version differ, by which `version_key`
    finds it.
    """

    language: str
    state: int
    version_key: int
    made: Fingerprint


class _Placed(NamedTuple):
    """Where a story was placed, the figures that this rests on, and its shingles as they are stored."""

    lineage: Lineage
    figures: dict[str, float]
    shingles: Hashes


def fingerprints_of(events: Sequence[Event]) -> list[Fingerprint]:
    """What is compared of some events; to be made of many at once, which takes a third of the time."""
    return fingerprints([(event.headline, event.text or event.headline) for event in events])


class Deduplicator:
    """The windows of stories, one a language. Decides from what came earlier only; deterministic."""

    def __init__(self, settings: Deduplicate) -> None:
        """Empty windows."""
        self._settings = settings
        self._length = settings.window_hours * HOUR_MS
        self._windows: dict[str, Window] = {}
        self.ignored = 0  # records of another format that `restore` was given

    def decide_all(self, events: Sequence[Event]) -> list[Decision]:
        """Place some events in their order, which takes half of the time that one by one takes."""
        return [self.decide(event, told) for event, told in zip(events, self.expect(events), strict=True)]

    def expect(self, events: Sequence[Event]) -> list[Expected]:
        """What is known of events that will be decided next, in this order: so they are looked up together.

        Those are left out of the look-up that were seen before.
        """
        made = [
            Expected(_language(event), state := state_of(event), _version_key(event, state), each)
            for event, each in zip(events, fingerprints_of(events), strict=True)
        ]
        coming: dict[str, dict[int, Fingerprint]] = {}
        for told in made:
            if self._window(told.language).find(told.version_key) is None:
                coming.setdefault(told.language, {}).setdefault(told.version_key, told.made)
        for language, prints in coming.items():
            self._window(language).expect(list(prints.values()))
        return made

    def decide(self, event: Event, told: Expected | None = None) -> Decision:
        """Place a normalised event in its chain and remember it. `told` is what `expect` told of it."""
        told = told or self.expect((event,))[0]
        window = self._window(told.language)
        if seen := _seen(event, window, told):
            return Decision(seen.lineage(), seen.evidence())
        story = arrival(event, told.made, window.now, self._length)
        reading = window.read(told.made)
        parent = parent_of(story, window, reading)
        placed = _placed(story, window, reading, parent, self._settings.threshold)
        evidence = tuple([Feature(name, round(value, 4)) for name, value in placed.figures.items()])
        keys = _keys(story, told.version_key, parent, placed.lineage)
        memory = Record(
            place=window.place,
            language=told.language,
            uri=event.story.uri,
            version=event.story.version or "",
            time=story.time,
            mark=story.time if window.now is None else window.now,
            state=told.state,
            lineage=placed.lineage,
            evidence=evidence,
            print=told.made,
            stored=placed.shingles,
            keys=keys,
        ).pack()
        window.add(memory, story.time, keys)
        return Decision(placed.lineage, evidence, memory)

    def restore(self, memory: bytes) -> None:
        """Take back the memory of an earlier decision; called in the order of the log, before any `decide`.

        A record that another version of the software wrote, or that is damaged, is not read but counted in `ignored`.
        """
        try:
            view = View(memory)
            view.verify()
        except UnknownFormat:
            self.ignored += 1
            return
        self._window(view.language).restore(view)

    def _window(self, language: str) -> Window:
        window = self._windows.get(language)
        if window is None:
            window = self._windows[language] = Window(self._length, self._settings.max_stories)
        return window


def _language(event: Event) -> str:
    return event.language.tag.partition("-")[0] if event.language else "und"


def _version_key(event: Event, state: int) -> int:
    return key("version", event.story.uri, event.story.version or "", str(state))


def _seen(event: Event, window: Window, told: Expected) -> View | None:
    """The record of the very same version, if it came before."""
    row = window.find(told.version_key)
    if row is None:
        return None
    view, item = window.view(row), event.story
    same = (view.state, view.uri, view.version) == (told.state, item.uri, item.version or "")
    return view if same else None


def _placed(
    story: Arrival, window: Window, reading: Reading, parent: Parent | None, threshold: float
) -> _Placed:
    """The place of a story under its parent, or as a new one where that is less likely than the threshold.

    The figures are those of the likest story also where it was refused.
    """
    figures = {"late": 1.0} if story.late else {}
    if parent:
        figures |= parent.evidence
        if parent.score is not None:
            figures["score"] = parent.score
            parent = parent if parent.score >= threshold else None
    view = parent.view if parent else None
    relation = related(story.event.story, story.signals, story.made, view, "by-uri" in figures)
    if parent is None or view is None:
        return _Placed(Lineage(story.event.story.uri, relation), figures, stored(story.made.shingles, None))
    if parent.pair:
        added, figures["novelty"] = parent.pair.added, parent.pair.novelty
    else:
        known = shared(story.made.shingles, view.shingles)
        added = (~known).astype(np.uint32)
        figures["novelty"] = novelty(story.made, window.weights(reading.counts), known, view.bound)
    sequence = view.sequence if relation == "duplicate" else 1 + _latest_sequence(window, view)
    lineage = Lineage(view.chain, relation, of=view.uri, score=parent.score, sequence=sequence)
    return _Placed(lineage, figures, stored(story.made.shingles, added))


def _latest_sequence(window: Window, view: View) -> int:
    """The number in its chain of the newest version that is known."""
    row = window.find(key("chain", view.chain))
    latest = window.view(row) if row is not None else view
    return latest.sequence if latest.chain == view.chain else view.sequence


def _keys(story: Arrival, version_key: int, parent: Parent | None, lineage: Lineage) -> tuple[int, ...]:
    """The keys by which the story will be found."""
    item = story.event.story
    keys = [version_key, *other_identifiers(item)[: KEYS - 8], *content_keys(story.made)]
    if lineage.of is not None and lineage.relation != "duplicate":
        keys.append(key("chain", lineage.story))
    superseded = parent and "by-uri" in parent.evidence and lineage.relation == "duplicate"
    if not superseded:
        keys.append(key("uri", item.uri))
    return tuple(keys)
