"""Where a story stands: its parent, the relation to it, and the record that remembers the decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from config.settings import Deduplicate
from processors.deduplicate.fingerprint import Fingerprint, Hashes, fingerprint, fingerprints
from processors.deduplicate.keys import content_keys, headline_keys, key, links, other_identifiers, state_of
from processors.deduplicate.record import KEYS, Record, UnknownFormat, View, stored
from processors.deduplicate.relation import related
from processors.deduplicate.score import (
    HOUR_MS,
    SHORT,
    Likeness,
    jaccard,
    likeness,
    novelty,
    shared,
)  # fmt: skip
from processors.deduplicate.tables import MakeTable, Whole
from processors.deduplicate.window import Reading, Window
from processors.event import Event, Feature, Lineage
from processors.signals import Signals, read_signals

AHEAD_MS: Final = 24 * HOUR_MS  # a story dated further after its arrival than this is taken at its arrival
EPOCH_MS: Final = 24 * HOUR_MS
NAMED: Final = 0.6  # headline likeness from which an advisory's quoted headline is the story's


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


@dataclass(frozen=True, slots=True)
class Parent:
    """The earlier story that a story belongs to, and the figures by which it was found."""

    view: View
    evidence: dict[str, float]
    score: float | None = None


@dataclass(frozen=True, slots=True)
class _Story:
    """A story as it is placed."""

    event: Event
    window: Window
    made: Fingerprint
    signals: Signals
    time: int
    late: bool
    keys: tuple[int, ...]


def fingerprints_of(events: Sequence[Event]) -> list[Fingerprint]:
    """What is compared of some events; to be made of many at once, which takes a third of the time."""
    return fingerprints([(event.headline, event.text or event.headline) for event in events])


class Deduplicator:
    """The windows of stories, one a language. Decides from what came earlier only; deterministic."""

    def __init__(self, settings: Deduplicate, tables: MakeTable = Whole) -> None:
        """Empty windows. `tables` makes what they are indexed in; wherever that stands, the decisions are the same."""
        self._settings = settings
        self._tables = tables
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
        language, state, version_key, made = told or self.expect((event,))[0]
        window = self._window(language)
        seen = window.find(version_key)
        known = window.view(seen) if seen is not None else None
        if known and (known.state, known.uri, known.version) == (
            state,
            event.story.uri,
            event.story.version or "",
        ):
            return Decision(known.lineage(), known.evidence())
        story = _read(event, window, version_key, made, self._length)
        reading = window.read(made)
        parent = self._parent(story, reading)
        lineage, figures, shingles = self._placed(story, reading, parent)
        evidence = tuple([Feature(name, round(value, 4)) for name, value in figures.items()])
        memory = _record(story, language, state, lineage, evidence, parent, shingles).pack()
        window.add(View(memory))
        return Decision(lineage, evidence, memory)

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
            window = self._windows[language] = Window(self._length, self._settings.max_stories, self._tables)
        return window

    # ------------------------------------------------------------ the parent

    def _parent(self, story: _Story, reading: Reading) -> Parent | None:
        return (
            self._by_identifier(story)
            or self._by_name(story)
            or self._by_content(story)
            or self._by_text(story, reading)
        )

    def _by_identifier(self, story: _Story) -> Parent | None:
        """The newest version of the story, or what the publisher says that it was made from."""
        window, item = story.window, story.event.story
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

    def _by_name(self, story: _Story) -> Parent | None:
        """The story whose headline an advisory, correction or kill quotes."""
        if not story.signals.names:
            return None
        named = fingerprint(story.signals.names, "")
        for told in headline_keys(named.title):
            row = story.window.find(told)
            if row is None:
                continue
            view = story.window.view(row)
            alike = jaccard(named.headline.tolist(), view.marks()[2])
            if alike >= NAMED:
                return Parent(view, {"by-name": 1.0, "headline": alike})
        return None

    def _by_content(self, story: _Story) -> Parent | None:
        """The same text, word for word; under twenty words the headline, too."""
        made = story.made
        row = story.window.find(key("content", str(made.content)))
        if row is None:
            return None
        view = story.window.view(row)
        same = view.content == made.content and view.words == made.words and self._near(story, view)
        if not same or not np.array_equal(view.shingles, made.shingles):
            return None
        if made.words < SHORT and view.marks()[2] != made.headline.tolist():
            return None
        return Parent(view, {"by-content": 1.0}, 1.0)

    def _by_text(self, story: _Story, reading: Reading) -> Parent | None:
        """The likest of the stories that share rare shingles, and of those that it comes from."""
        likely = self._likely(story, reading, reading.rows)
        if not likely:
            return None
        best = max(likely.values(), key=lambda found: found.score)  # the first of equals
        for earlier in self._likely(story, reading, self._origins(story, best)).values():
            if earlier.score >= best.score:
                best = earlier
        hours = abs(story.time - best.view.time) / HOUR_MS
        return Parent(best.view, {**best.features, "hours": hours}, best.score)

    def _likely(
        self, story: _Story, reading: Reading, rows: Sequence[tuple[int, int]]
    ) -> dict[int, Likeness]:
        """Those of the rows that may tell the same report, by row; each comes with the number of keys it shares."""
        window, found = story.window, {}
        for (row, keys), pair in zip(rows, window.compare(reading, [row for row, _ in rows]), strict=True):
            if pair is None or row < window.first or not self._near(story, view := window.view(row)):
                continue
            if like := likeness(story.made, view, pair):
                like.features["shared-keys"] = float(keys)
                found[row] = like
        return found

    def _origins(self, story: _Story, best: Likeness) -> list[tuple[int, int]]:
        """The rows of the likest story's parent and of its chain's first member."""
        told = dict.fromkeys(best.view.origins())
        rows = [story.window.find(key("uri", uri)) for uri in told]
        return [(row, int(best.features["shared-keys"])) for row in rows if row is not None]

    def _near(self, story: _Story, view: View) -> bool:
        return abs(story.time - view.time) <= self._length

    # ------------------------------------------------------------ the decision

    def _placed(
        self, story: _Story, reading: Reading, parent: Parent | None
    ) -> tuple[Lineage, dict[str, float], Hashes]:
        """The lineage, the figures that it rests on, and the shingles as they are stored.

        The figures are those of the likest story also where it was refused.
        """
        figures = {"late": 1.0} if story.late else {}
        if parent:
            figures |= parent.evidence
            if parent.score is not None:
                figures["score"] = parent.score
        if parent and parent.score is not None and parent.score < self._settings.threshold:
            parent = None
        view = parent.view if parent else None
        found = related(story.event.story, story.signals, story.made, view, "by-uri" in figures)
        if view is None:
            return Lineage(story.event.story.uri, found), figures, stored(story.made.shingles, None)
        known = shared(story.made.shingles, view.shingles)
        weights = story.window.weights(reading.lookup.counts)
        figures["novelty"] = novelty(story.made, weights, known, view.bound)
        chain = view.chain
        sequence = view.sequence
        if found != "duplicate":
            latest = story.window.find(key("chain", chain))
            last = story.window.view(latest) if latest is not None else view
            sequence = 1 + (last.sequence if last.chain == chain else sequence)
        score = parent.score if parent else None
        lineage = Lineage(chain, found, of=view.uri, score=score, sequence=sequence)
        return lineage, figures, stored(story.made.shingles, known)


def _version_key(event: Event, state: int) -> int:
    return key("version", event.story.uri, event.story.version or "", str(state))


def _language(event: Event) -> str:
    return event.language.tag.partition("-")[0] if event.language else "und"


def _read(event: Event, window: Window, version_key: int, made: Fingerprint, length: int) -> _Story:
    story = event.story
    time = _time(event, window.now)
    return _Story(
        event=event,
        window=window,
        made=made,
        signals=read_signals(
            headline=event.headline,
            slugline=story.slugline or "",
            ed_note=story.ed_note or "",
            text=event.text,
            genres=story.genres,
        ),
        time=time,
        late=window.now is not None and time < window.now - length,
        keys=(version_key, *other_identifiers(story)[: KEYS - 8], *content_keys(made)),
    )


def _record(
    story: _Story,
    language: str,
    state: int,
    lineage: Lineage,
    evidence: tuple[Feature, ...],
    parent: Parent | None,
    shingles: Hashes,
) -> Record:
    item = story.event.story
    keys = story.keys
    if lineage.of is not None and lineage.relation != "duplicate":
        keys = (*keys, key("chain", lineage.story))
    superseded = parent and "by-uri" in parent.evidence and lineage.relation == "duplicate"
    if not superseded:
        keys = (*keys, key("uri", item.uri))
    now = story.window.now
    return Record(
        place=story.window.place,
        language=language,
        uri=item.uri,
        version=item.version or "",
        time=story.time,
        mark=story.time if now is None else now,
        state=state,
        lineage=lineage,
        evidence=evidence,
        print=story.made,
        stored=shingles,
        keys=keys,
    )


def _time(event: Event, now: int | None) -> int:
    """The story's own time in milliseconds, or that of its arrival where it has none or lies far ahead.

    The first day of 1970 is what programs write that know no date.
    """
    received = _milliseconds(event.provenance.received if event.provenance else None)
    told = _milliseconds(event.story.version_created)
    if told is not None and abs(told) < EPOCH_MS:
        told = None
    if told is not None and (received is None or told <= received + AHEAD_MS):
        return told
    return received if received is not None else now or 0


@lru_cache(maxsize=256)
def _milliseconds(timestamp: str | None) -> int | None:
    try:
        moment = datetime.fromisoformat(timestamp) if timestamp else None
    except ValueError:
        return None
    if moment is None:
        return None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
