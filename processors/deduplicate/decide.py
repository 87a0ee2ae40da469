"""Where a story stands: its parent, the relation to it, and the record that remembers the decision."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Final, NamedTuple

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from config.settings import Deduplicate
from processors.deduplicate.arrays import Hashes32
from processors.deduplicate.claim import Claim, is_version_of, settle_claim, source_of_event
from processors.deduplicate.fingerprint import Fingerprint, hash_content, make_fingerprints
from processors.deduplicate.keys import alternative_keys, content_key, hash_key, hash_state, headline_keys
from processors.deduplicate.parent import (
    Arrival,
    Parent,
    find_parent,
    is_likely,
    is_older,
    judge_story,
    read_arrival,
)
from processors.deduplicate.record import (
    MAX_RECORD_KEYS,
    RecordView,
    StoryRecord,
    UnknownRecordFormat,
    flag_new_shingles,
    holds_whole,
    upgrade_record,
)
from processors.deduplicate.references import reference_keys
from processors.deduplicate.score import find_shared, jaccard_likeness, measure_novelty
from processors.deduplicate.standing import StoryReport, read_report
from processors.deduplicate.standing_lines import LearnedLines, StandingLines
from processors.deduplicate.window import Window, WindowKeys, WindowReading
from processors.model.event import Event, Feature, KilledChain, Lineage, NovelPassage
from processors.sources import authority_of, may_change
from processors.times import HOUR_MS

# Of a record that other identifiers leave room for: version, all that it says, text, headline (3), title, slug (3), message number (2),
# chain, uri, claim, language (2).
OWN_KEYS: Final = 17
# A story so long after its parent counts beside it, as does one whose headline shares less with the parent's: with less of
# either versions of one report count as a template, with more a template that joined two stories is never known.
APART_HOURS: Final = 8
MIN_VERSION_LIKENESS: Final = 0.5
# A guess that is surer chooses a window. Of the first words of briefs in sixteen languages, guesses from 0.7 on were
# right in 99 of 100, those from 0.1 to 0.7 in 89, less sure ones in 23 (of another half: 99, 86, 28). Lower, and a kill
# or snap of three words is sought among stories of another language; higher, and the first briefs of a source's second
# language wait for a longer story in it.
MIN_CHOOSING_CONFIDENCE: Final = 0.7


class StoryDecision(Struct, frozen=True):
    """Where a story stands, why, and the compact record that restores the deduplicator to after it.

    `uri` is the story's from now on (see `claim`), `source` whose story it is. `novel` is what it says that its parent
    did not. `memory` is empty for a story that was seen before: nothing new is to be remembered.
    """

    lineage: Lineage
    uri: str
    source: str
    evidence: tuple[Feature, ...] = ()
    novel: tuple[NovelPassage, ...] = ()
    memory: bytes = b""


class PreparedEvent(NamedTuple):
    """What is computed of an event before it is decided.

    `language` chooses its window, `state` is a hash of everything that makes a version differ, by which
    ``version_key`` finds it. `report` is what is compared, `learned` a number for all that was learned before it, `next_learned`
    one for that and its own `lesson`.
    """

    language: str
    state: int
    version_key: int
    report: StoryReport
    lesson: LearnedLines | None
    learned: int
    next_learned: int
    fingerprint: Fingerprint


class _ReadReport(NamedTuple):
    """What is read of a story ahead: see `PreparedEvent`."""

    report: StoryReport
    lesson: LearnedLines | None
    learned: int
    next_learned: int


class _Placement(NamedTuple):
    """Where a story was placed, the figures that this rests on, and its shingles as they are stored."""

    lineage: Lineage
    figures: dict[str, float]
    shingles: Hashes32
    novel: tuple[NovelPassage, ...] = ()


class Deduplicator:
    """The windows of stories, one a language. Decides from what came earlier only; deterministic.

    Likeness is sought within a language, identifiers and the same text in all.
    """

    def __init__(self, settings: Deduplicate) -> None:
        """Make empty windows."""
        self._settings = settings
        self._length_ms = settings.window_hours * HOUR_MS
        self._windows: dict[str, Window] = {}
        self._keys = WindowKeys()
        self._lines = StandingLines()
        self._numbers = count(1)  # of what was learned: each stands for one state of the lines
        self._learned = 0
        self.ignored_records = 0  # of another format, that `restore` was given

    def __len__(self) -> int:
        """How many stories are remembered."""
        return sum(map(len, self._windows.values()))

    def decide_all(self, events: Sequence[Event]) -> list[StoryDecision]:
        """Place some events in their order, which takes half of the time that one by one takes."""
        return [
            self.decide(event, prepared) for event, prepared in zip(events, self.prepare(events), strict=True)
        ]

    def prepare(self, events: Sequence[Event]) -> list[PreparedEvent]:
        """Compute what is needed of the events that will be decided next, in this order, so as to look them up together.

        Those that were seen before are left out of the look-up.
        """
        places = [
            (_language(event), state := hash_state(event), _version_key(event, state)) for event in events
        ]
        reports = self._read_reports(events, [key for _, _, key in places])
        fingerprints = _make_fingerprints(events, [each.report for each in reports])
        prepared = [
            PreparedEvent(*place, *ahead, fingerprint)  # type: ignore[arg-type]  # mypy takes them for one tuple
            for place, ahead, fingerprint in zip(places, reports, fingerprints, strict=True)
        ]
        coming: dict[str, dict[int, Fingerprint]] = {}
        for event in prepared:
            if not self._keys.has_key(event.version_key):
                coming.setdefault(event.language, {}).setdefault(event.version_key, event.fingerprint)
        for language, announced in coming.items():
            self._window(language).announce(list(announced.values()))
        return prepared

    def decide(self, event: Event, prepared: PreparedEvent | None = None) -> StoryDecision:
        """Place a normalised event in its chain and remember it. `prepared` is what `prepare` made of it."""
        prepared = prepared or self.prepare((event,))[0]
        if seen := self._find_seen(event, prepared):
            lineage = replace(seen.lineage(), again=True)
            return StoryDecision(lineage, seen.uri, seen.source, seen.evidence(), seen.novel())
        prepared = self._learn(event, prepared)
        claim = settle_claim(event, self._keys)
        event = _with_uri(event, claim.uri)
        language = self._choose_language(event, claim, prepared.language)
        window = self._window(language)
        arrival = read_arrival(
            event, prepared.report, prepared.fingerprint, window, claim.source, prepared.state
        )
        reading = window.look_up(prepared.fingerprint)
        parent = find_parent(arrival, claim, window, reading, self._settings.threshold)
        placement = _place(arrival, window, reading, parent, self._settings.threshold)
        if claim.is_foreign:
            placement.figures["other-source"] = 1.0
        evidence = tuple([Feature(name, round(value, 4)) for name, value in placement.figures.items()])
        novel = _place_passages(event, prepared.report.text, placement.novel)
        keys = _record_keys(arrival, prepared.version_key, parent, placement.lineage)
        keys = (*keys, *claim.keys, *_language_keys(event, claim, language))
        memory = StoryRecord(
            block_place=window.block_place,
            language=language,
            source=claim.source,
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
            report=prepared.report.text,
            occasion=prepared.report.occasion,
        ).pack()
        kept = arrival.report if holds_whole(arrival.report) else None
        window.add(memory, arrival.time_ms, keys, prepared.report.occasion.source, arrival.brief, kept)
        return StoryDecision(placement.lineage, claim.uri, claim.source, evidence, novel, memory)

    def _read_reports(self, events: Sequence[Event], keys: Sequence[int]) -> list[_ReadReport]:
        """What the events report, as if all before them were learned; those that were seen before teach nothing."""
        reports: list[_ReadReport] = []
        ahead, learned = StandingLines(self._lines), self._learned
        taught: set[int] = set()
        for event, key in zip(events, keys, strict=True):
            report = read_report(event, ahead)
            lesson, next_learned = None, learned
            if key not in taught and not self._keys.has_key(key):
                taught.add(key)
                lesson, next_learned = ahead.learn(report.occasion), next(self._numbers)
            reports.append(_ReadReport(report, lesson, learned, next_learned))
            learned = next_learned
        return reports

    def _learn(self, event: Event, prepared: PreparedEvent) -> PreparedEvent:
        """Learn a story's standing lines. What was prepared of it holds if what was learned since was expected."""
        if prepared.lesson is not None and prepared.learned == self._learned:
            self._lines.apply(prepared.lesson)
            self._learned = prepared.next_learned
            return prepared
        report = prepared.report
        if prepared.learned != self._learned:
            report = read_report(event, self._lines)
            if report.text != prepared.report.text:
                fingerprint = _make_fingerprints([event], [report])[0]
                prepared = prepared._replace(fingerprint=fingerprint)
            prepared = prepared._replace(report=report)
        self._lines.learn(report.occasion)
        self._learned = next(self._numbers)
        return prepared

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
        if occasion := view.occasion():
            self._lines.learn(occasion)
            self._learned = next(self._numbers)

    def _window(self, language: str) -> Window:
        window = self._windows.get(language)
        if window is None:
            window = Window(self._length_ms, self._settings.max_stories, self._keys, language)
            self._windows[language] = window
        return window

    def _find_seen(self, event: Event, prepared: PreparedEvent) -> RecordView | None:
        """The record of the very same version, if it came before."""
        view = self._keys.find_view(prepared.version_key)
        if view is None:
            return None
        same = (view.head.state, view.version) == (prepared.state, event.story.version or "")
        return view if same and is_version_of(view, event, self._keys) else None

    def _choose_language(self, event: Event, claim: Claim, guess: str) -> str:
        """The language in whose window a story is.

        One that was guessed from a few words chooses none: the earlier version's counts, else the source's usual one,
        where it is not known to write in the one that was guessed.
        """
        if _is_sure(event):
            return guess
        if claim.earlier is not None:
            return claim.earlier.language
        authority = authority_of(claim.source)
        if self._keys.find_view(hash_key("writes", authority, guess)):
            return guess
        latest = self._keys.find_view(hash_key("writes", authority))
        return guess if latest is None else latest.language


def _language(event: Event) -> str:
    return event.language.tag.partition("-")[0] if event.language else "und"


def _is_sure(event: Event) -> bool:
    """Whether the language was declared, or guessed from enough words."""
    language = event.language
    return language is None or language.declared is not None or language.confidence >= MIN_CHOOSING_CONFIDENCE


def _language_keys(event: Event, claim: Claim, language: str) -> tuple[int, ...]:
    """Keys by which a source's languages are known; a guess from a few words tells nothing, nor does a later version."""
    if claim.earlier is not None or not _is_sure(event):
        return ()
    authority = authority_of(claim.source)
    return hash_key("writes", authority), hash_key("writes", authority, language)


def _with_uri(event: Event, uri: str) -> Event:
    return event if event.story.uri == uri else replace(event, story=replace(event.story, uri=uri))


def _make_fingerprints(events: Sequence[Event], reports: Sequence[StoryReport]) -> list[Fingerprint]:
    """The fingerprints of events by what they report; their content is the whole text's."""
    texts = [(event.headline, report.text) for event, report in zip(events, reports, strict=True)]
    return [
        fingerprint
        if report.text is report.content
        else fingerprint._replace(content=hash_content(report.content))
        for fingerprint, report in zip(make_fingerprints(texts), reports, strict=True)
    ]


def _version_key(event: Event, state: int) -> int:
    story, source = event.story, source_of_event(event)
    names = (source,) if source else ()  # without, as version 0.1 had it
    return hash_key("version", *names, story.uri, story.version or "", str(state))


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
            parent = parent if is_likely(parent, threshold) else None
    fingerprint, uri = arrival.fingerprint, arrival.event.story.uri
    relation, view, novel = judge_story(arrival, parent, window)
    if parent and relation in {"kill", "correction"} and not _may_change(arrival, parent):
        parent, figures["other-source"] = None, 1.0
    if parent is None or view is None:
        if relation == "kill":
            figures["unreached"] = 1.0
        return _Placement(Lineage(uri, relation), figures, flag_new_shingles(fingerprint.shingles, None))
    if parent.overlap and view is parent.view:
        new, figures["novelty"] = parent.overlap.new, parent.overlap.novelty
    else:
        shared = find_shared(fingerprint.shingles, view.shingles)
        new = (~shared).astype(np.uint32)
        weights = window.weigh(reading.story_counts)
        figures["novelty"] = measure_novelty(fingerprint, weights, shared, view.head.bound)
    sequence = view.head.sequence if relation == "duplicate" else 1 + _latest_sequence(window, view)
    owner = _find_owner(window, view, arrival.source)
    killed = tuple(
        KilledChain(
            other.chain,
            other.uri,
            1 + _latest_sequence(window, other),
            _find_owner(window, other, arrival.source),
        )
        for other in parent.also_killed
    )
    lineage = Lineage(view.chain, relation, view.uri, parent.score, sequence, owner, killed)
    counted = None if _is_apart(arrival, view) else new
    return _Placement(lineage, figures, flag_new_shingles(fingerprint.shingles, counted), novel)


def _is_apart(arrival: Arrival, view: RecordView) -> bool:
    """Whether a story counts beside its parent where it is counted how many stories have a shingle.

    Another headline, or hours in between, tell that what both share may be a template: were it counted once for the
    chain, two stories that were joined by a template would hide it from all later ones.
    """
    ours, theirs = arrival.fingerprint.headline.tolist(), view.word_sets().headline
    hours = abs(arrival.time_ms - view.head.time_ms) / HOUR_MS
    return hours >= APART_HOURS or jaccard_likeness(ours, theirs) < MIN_VERSION_LIKENESS


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


def _may_change(arrival: Arrival, parent: Parent) -> bool:
    """Whether the story may kill or correct its parent: identifiers were looked at when it was found by them."""
    return (
        "by-uri" in parent.evidence
        or "by-link" in parent.evidence
        or may_change(arrival.source, parent.view.source)
    )


def _find_owner(window: Window, view: RecordView, source: str) -> str | None:
    """Whose story a record's chain is named after; None where it is of the source itself.

    A feed that is entitled to a uri takes it over from whoever used it first.
    """
    holder = window.find_view(hash_key("uri", view.chain))
    owner = holder.source if holder is not None and holder.uri == view.chain else view.owner
    return None if owner in {source, ""} else owner


def _latest_sequence(window: Window, view: RecordView) -> int:
    """The number in its chain of the newest version that is remembered."""
    latest = window.find_view(hash_key("chain", view.chain))
    if latest is None:
        return view.head.sequence
    place = latest.lineage()
    numbers = {killed.story: killed.sequence for killed in place.also_killed} | {place.story: place.sequence}
    return numbers.get(view.chain, view.head.sequence)


def _record_keys(
    arrival: Arrival, version_key: int, parent: Parent | None, lineage: Lineage
) -> tuple[int, ...]:
    """The keys by which the story will be found."""
    story = arrival.event.story
    others = alternative_keys(story, authority_of(arrival.source))[: MAX_RECORD_KEYS - OWN_KEYS]
    keys = [version_key, arrival.saying_key, *others]
    if lineage.relation != "kill":  # which later kills of the story must not find instead of it
        keys += [content_key(arrival.fingerprint), *headline_keys(arrival.fingerprint.title, *arrival.sender)]
        keys += reference_keys(arrival.event, arrival.fingerprint.title, arrival.sender)
    if lineage.of is not None and lineage.relation != "duplicate":
        chains = (lineage.story, *(killed.story for killed in lineage.also_killed))
        keys += [hash_key("chain", chain) for chain in chains]
    if not (parent and "by-uri" in parent.evidence and is_older(story, parent.view.version)):
        keys.append(hash_key("uri", story.uri))
    return tuple(keys)
