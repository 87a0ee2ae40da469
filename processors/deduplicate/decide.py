"""Where a story stands: its parent, the relation to it, and the record that remembers the decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from msgspec.structs import replace

from config.settings import Deduplicate
from processors.deduplicate.arrays import Hashes32
from processors.deduplicate.fingerprint import Fingerprint, make_fingerprints
from processors.deduplicate.keys import alternative_keys, content_keys, hash_key, hash_state
from processors.deduplicate.parent import Arrival, Parent, find_parent, judge_story, read_arrival
from processors.deduplicate.record import (
    MAX_RECORD_KEYS,
    RecordView,
    StoryRecord,
    UnknownRecordFormat,
    flag_new_shingles,
    upgrade_record,
)
from processors.deduplicate.score import find_shared, measure_novelty
from processors.deduplicate.standing import read_report
from processors.deduplicate.window import Window, WindowReading
from processors.model.event import Event, Feature, Lineage, NovelPassage
from processors.times import HOUR_MS

OWN_KEYS: Final = 8  # of a record that other identifiers leave room for: version, text, headline, chain, uri


@dataclass(frozen=True, slots=True)
class StoryDecision:
    """Where a story stands, why, and the compact record that restores the deduplicator to after it.

    `novel` is what it says that its parent did not. `memory` is empty for a story that was seen before: nothing new is to be remembered.
    """

    lineage: Lineage
    evidence: tuple[Feature, ...] = ()
    novel: tuple[NovelPassage, ...] = ()
    memory: bytes = b""


class PreparedEvent(NamedTuple):
    """What is computed of an event before it is decided.

    `language` chooses its window, `state` is a hash of everything that makes a version differ, by which
    ``version_key`` finds it. `report` is the text that is compared (`standing`).
    """

    language: str
    state: int
    version_key: int
    report: str
    fingerprint: Fingerprint


class _Placement(NamedTuple):
    """Where a story was placed, the figures that this rests on, and its shingles as they are stored."""

    lineage: Lineage
    figures: dict[str, float]
    shingles: Hashes32
    novel: tuple[NovelPassage, ...] = ()


class Deduplicator:
    """The windows of stories, one a language. Decides from what came earlier only; deterministic."""

    def __init__(self, settings: Deduplicate) -> None:
        """Make empty windows."""
        self._settings = settings
        self._length_ms = settings.window_hours * HOUR_MS
        self._windows: dict[str, Window] = {}
        self.ignored_records = 0  # of another format, that `restore` was given

    def decide_all(self, events: Sequence[Event]) -> list[StoryDecision]:
        """Place some events in their order, which takes half of the time that one by one takes."""
        return [
            self.decide(event, prepared) for event, prepared in zip(events, self.prepare(events), strict=True)
        ]

    def prepare(self, events: Sequence[Event]) -> list[PreparedEvent]:
        """Compute what is needed of the events that will be decided next, in this order, so as to look them up together.

        Those that were seen before are left out of the look-up.
        """
        reports = [read_report(event) for event in events]
        texts = [(event.headline, report) for event, report in zip(events, reports, strict=True)]
        prepared = [
            PreparedEvent(
                _language(event), state := hash_state(event), _version_key(event, state), report, fingerprint
            )
            for event, report, fingerprint in zip(events, reports, make_fingerprints(texts), strict=True)
        ]
        coming: dict[str, dict[int, Fingerprint]] = {}
        for event in prepared:
            if self._window(event.language).find_row(event.version_key) is None:
                coming.setdefault(event.language, {}).setdefault(event.version_key, event.fingerprint)
        for language, fingerprints in coming.items():
            self._window(language).announce(list(fingerprints.values()))
        return prepared

    def decide(self, event: Event, prepared: PreparedEvent | None = None) -> StoryDecision:
        """Place a normalised event in its chain and remember it. `prepared` is what `prepare` made of it."""
        prepared = prepared or self.prepare((event,))[0]
        window = self._window(prepared.language)
        if seen := _find_seen(event, window, prepared):
            return StoryDecision(seen.lineage(), seen.evidence(), seen.novel())
        arrival = read_arrival(event, prepared.report, prepared.fingerprint, window)
        reading = window.look_up(prepared.fingerprint)
        parent = find_parent(arrival, window, reading)
        placement = _place(arrival, window, reading, parent, self._settings.threshold)
        evidence = tuple([Feature(name, round(value, 4)) for name, value in placement.figures.items()])
        novel = _place_passages(event, prepared.report, placement.novel)
        keys = _record_keys(arrival, prepared.version_key, parent, placement.lineage)
        memory = StoryRecord(
            block_place=window.block_place,
            language=prepared.language,
            uri=event.story.uri,
            version=event.story.version or "",
            time_ms=arrival.time_ms,
            window_time_ms=arrival.time_ms if window.now_ms is None else window.now_ms,
            state=prepared.state,
            lineage=placement.lineage,
            evidence=evidence,
            fingerprint=prepared.fingerprint,
            shingles=placement.shingles,
            keys=keys,
            novel=novel,
            headline=event.headline,
            report=prepared.report,
        ).pack()
        window.add(memory, arrival.time_ms, keys)
        return StoryDecision(placement.lineage, evidence, novel, memory)

    def restore(self, memory: bytes) -> None:
        """Remember an earlier decision again; called in the order of the log, before any `decide`.

        A record that version 0.1 wrote is read; one that another version of the software wrote, or that is damaged, is not read but counted in
        ``ignored_records``.
        """
        try:
            view = RecordView(upgrade_record(memory))
            view.verify()
        except UnknownRecordFormat:
            self.ignored_records += 1
            return
        self._window(view.language).restore(view)

    def _window(self, language: str) -> Window:
        window = self._windows.get(language)
        if window is None:
            window = self._windows[language] = Window(self._length_ms, self._settings.max_stories)
        return window


def _language(event: Event) -> str:
    return event.language.tag.partition("-")[0] if event.language else "und"


def _version_key(event: Event, state: int) -> int:
    return hash_key("version", event.story.uri, event.story.version or "", str(state))


def _find_seen(event: Event, window: Window, prepared: PreparedEvent) -> RecordView | None:
    """The record of the very same version, if it came before."""
    row = window.find_row(prepared.version_key)
    if row is None:
        return None
    view, story = window.view(row), event.story
    same = (view.head.state, view.uri, view.version) == (prepared.state, story.uri, story.version or "")
    return view if same else None


def _place(
    arrival: Arrival, window: Window, reading: WindowReading, parent: Parent | None, threshold: float
) -> _Placement:
    """The place of a story under its parent, or as a new one where that is less likely than the threshold.

    The figures are those of the likest story also where it was refused.
    """
    figures = {"late": 1.0} if arrival.is_late else {}
    if parent:
        figures |= parent.evidence
        if parent.score is not None:
            figures["score"] = parent.score
            parent = parent if parent.score >= threshold else None
    fingerprint, uri = arrival.fingerprint, arrival.event.story.uri
    relation, view, novel = judge_story(arrival, parent, window)
    if parent is None or view is None:
        return _Placement(Lineage(uri, relation), figures, flag_new_shingles(fingerprint.shingles, None))
    if parent.overlap and view is parent.view:
        new, figures["novelty"] = parent.overlap.new, parent.overlap.novelty
    else:
        shared = find_shared(fingerprint.shingles, view.shingles)
        new = (~shared).astype(np.uint32)
        weights = window.weigh(reading.story_counts)
        figures["novelty"] = measure_novelty(fingerprint, weights, shared, view.head.bound)
    sequence = view.head.sequence if relation == "duplicate" else 1 + _latest_sequence(window, view)
    lineage = Lineage(view.chain, relation, of=view.uri, score=parent.score, sequence=sequence)
    return _Placement(lineage, figures, flag_new_shingles(fingerprint.shingles, new), novel)


def _place_passages(event: Event, report: str, novel: Sequence[NovelPassage]) -> tuple[NovelPassage, ...]:
    """Passages of the report where they stand in the event: a report is its text less some lines, or its headline."""
    placed: list[NovelPassage] = []
    at = 0
    for passage in novel:
        if passage.inside == "headline":
            placed.append(passage)
            continue
        words = report[passage.start : passage.end]
        start = event.text.find(words, at)
        if start >= 0:
            at = start + len(words)
            placed.append(replace(passage, start=start, end=at))
        elif report == event.headline:
            placed.append(replace(passage, inside="headline"))
    return tuple(placed)


def _latest_sequence(window: Window, view: RecordView) -> int:
    """The number in its chain of the newest version that is remembered."""
    row = window.find_row(hash_key("chain", view.chain))
    latest = window.view(row) if row is not None else view
    return latest.head.sequence if latest.chain == view.chain else view.head.sequence


def _record_keys(
    arrival: Arrival, version_key: int, parent: Parent | None, lineage: Lineage
) -> tuple[int, ...]:
    """The keys by which the story will be found."""
    story = arrival.event.story
    others = alternative_keys(story)[: MAX_RECORD_KEYS - OWN_KEYS]
    keys = [version_key, *others, *content_keys(arrival.fingerprint)]
    if lineage.of is not None and lineage.relation != "duplicate":
        keys.append(hash_key("chain", lineage.story))
    superseded = parent and "by-uri" in parent.evidence and lineage.relation == "duplicate"
    if not superseded:
        keys.append(hash_key("uri", story.uri))
    return tuple(keys)
