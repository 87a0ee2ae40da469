"""A story as it arrives, the earlier story that it belongs to, and what it is to that one.

A parent is found by identifiers, by a quoted headline, by the same text, by likeness, in this order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Final, NamedTuple

import numpy as np

from processors.deduplicate.briefs import BriefWords, read_brief, read_lead, read_title
from processors.deduplicate.claim import Claim
from processors.deduplicate.fingerprint import Fingerprint, make_shingles
from processors.deduplicate.keys import alternative_key, content_key, hash_key, linked_identifiers, saying_key
from processors.deduplicate.novelty import MAX_PASSAGES, find_novelty
from processors.deduplicate.overlap import Overlap
from processors.deduplicate.record import RecordView
from processors.deduplicate.references import (
    SenderName,
    find_headline,
    find_headlines,
    find_identifiers,
    find_numbers,
    find_slugs,
    read_sender,
)
from processors.deduplicate.score import (
    BRIEF_WORDS,
    Likeness,
    continues_chain,
    find_shared,
    is_rewritten,
    is_same_report,
    measure_likeness,
)
from processors.deduplicate.sentences import SplitReport
from processors.deduplicate.standing import StoryReport
from processors.deduplicate.standing_lines import Occasion
from processors.deduplicate.window import Window, WindowReading
from processors.model.event import Event, NovelPassage, Relation
from processors.model.story import Story
from processors.signals import Signals, read_signals, source_names
from processors.sources import authority_of, is_entitled, may_change, short_uri
from processors.times import HOUR_MS, read_milliseconds

# A story that is dated further after its arrival is taken at its arrival: more lets a wrong date move the window, less
# refuses a clock in another zone.
MAX_AHEAD_MS: Final = 24 * HOUR_MS
# What programs write that know no date lies this near to the beginning of 1970, in whatever zone they write it.
UNDATED_MS: Final = 24 * HOUR_MS
# Of a kill's text and its story's, where the kill sends the story again: a lower figure takes the wording of kills for a
# story, a higher one misses a story that was cut, and then its slug decides.
MIN_KILLED_SCORE: Final = 0.5
# Longer versions have no order: Python refuses to read numbers of thousands of digits; serial numbers have some twenty.
MAX_VERSION_DIGITS: Final = 100


# Likely members of a chain that a story is compared with beside its parent: fewer take a copy of a copy for an update,
# more cost time.
MAX_OTHERS: Final = 4
# Of the shingles of a sentence that the sample of a long story has: house style breaks some, chance makes some.
MIN_SAMPLED_SHARE: Final = 0.5


class Arrival(NamedTuple):
    """A story as it is placed: its event, what is compared of it, what it says of itself, and its own time."""

    event: Event
    report: SplitReport
    occasion: Occasion
    fingerprint: Fingerprint
    signals: Signals
    sender: SenderName
    time_ms: int
    is_late: bool  # its time lies before the window
    source: str  # whose story it is (`processors.sources`)
    brief: BriefWords | None  # its words, where it is a brief
    saying_key: int  # of all that it says


class Parent(NamedTuple):
    """The earlier story that a story belongs to, and the figures by which it was found.

    `score` is how like it is where its text was compared, `overlap` what the two share where that was counted. `others`
    are likely members of its chain, of which the story may be a copy.
    """

    view: RecordView
    evidence: dict[str, float]
    score: float | None = None
    overlap: Overlap | None = None
    others: tuple[RecordView, ...] = ()
    also_killed: tuple[RecordView, ...] = ()
    is_kin: bool = True  # not only likely, but of one chain with the story
    is_sure: bool = False  # however low its score


class StoryVerdict(NamedTuple):
    """What a story is to an earlier one, and what it says that this one did not. `view` is absent without a parent."""

    relation: Relation
    view: RecordView | None
    novel: tuple[NovelPassage, ...] = ()


def read_arrival(
    event: Event,
    report: StoryReport,
    fingerprint: Fingerprint,
    window: Window,
    source: str = "",
    state: int = 0,
) -> Arrival:
    """An event as it arrives at a window; `state` is `hash_state` of it."""
    story, now_ms = event.story, window.now_ms
    time_ms = _story_time(event, now_ms)
    signals = read_signals(
        headline=event.headline,
        slugline=story.slugline or "",
        ed_note=story.ed_note or "",
        text=event.text,
        genres=story.genres,
        sources=source_names(story),
    )
    is_late = now_ms is not None and time_ms < now_ms - window.length_ms
    sender, split = read_sender(event, source), SplitReport(event.headline, report.text)
    brief = read_brief(split, window.language)
    return Arrival(
        event, split, report.occasion, fingerprint, signals, sender, time_ms, is_late, source, brief,
        saying_key(story, state),
    )  # fmt: skip


def _story_time(event: Event, now_ms: int | None) -> int:
    """The story's own time in milliseconds, or that of its arrival where it has none or lies far ahead."""
    received = read_milliseconds(event.provenance.received if event.provenance else "")
    created = read_milliseconds(event.story.version_created or "")
    if created is not None and abs(created) < UNDATED_MS:
        created = None
    if created is not None and (received is None or created <= received + MAX_AHEAD_MS):
        return created
    return received if received is not None else now_ms or 0


def find_parent(
    arrival: Arrival, claim: Claim, window: Window, reading: WindowReading, threshold: float
) -> Parent | None:
    """The parent by the surest of the ways that find one, however unlikely it is.

    `claim` has the newest version of the same story. What another source sends on under its uri is a copy of each version
    that it copies. `reading` is the window's of the story, `threshold` that of likeness.
    """
    if claim.earlier is not None:
        is_copy = claim.is_foreign and not is_kill(arrival)
        copied = _find_by_content(arrival, window) if is_copy else None
        return copied or Parent(claim.earlier, {"by-uri": 1.0})
    if linked := _find_by_link(arrival, window):
        return linked
    if is_kill(arrival):
        return _find_killed(arrival, window, reading)
    if parent := _find_by_name(arrival, window) or _find_by_content(arrival, window):
        return parent
    likely = _find_by_text(arrival, window, reading)
    if likely and is_likely(likely, threshold):
        return likely
    return _find_by_brief(arrival, window) or likely


def is_likely(parent: Parent, threshold: float) -> bool:
    """Whether a parent that was found by its text is more likely than not the story's."""
    return parent.score is None or (parent.is_kin and (parent.is_sure or parent.score >= threshold))


def is_kill(arrival: Arrival) -> bool:
    """Whether a story kills, as its publisher's status or its own words say."""
    return arrival.event.story.pub_status == "canceled" or arrival.signals.relation == "kill"


def _find_killed(arrival: Arrival, window: Window, reading: WindowReading) -> Parent | None:
    """The story that a kill under an identifier of its own names, or sends again."""
    event, sender, time_ms = arrival.event, arrival.sender, arrival.time_ms
    find_view = partial(_find_own_by_key, arrival, window)
    named = (
        find_identifiers(event, sender, find_view)
        or find_headlines(event, sender, time_ms, find_view)
        or find_numbers(event, sender, time_ms, find_view)
    )
    if not named:
        if sent_again := _find_sent_again(arrival, window, reading):
            return sent_again
        named = find_slugs(event, sender, time_ms, find_view)
    if not named:
        return None
    first, others = named[0], named[1:]
    figures = {"by-name": 1.0, first.figure: first.value}
    return Parent(first.view, figures, also_killed=tuple(other.view for other in others))


def _find_sent_again(arrival: Arrival, window: Window, reading: WindowReading) -> Parent | None:
    """The story of the kill's own source whose text it has."""
    likest = _find_by_content(arrival, window) or _find_by_text(arrival, window, reading)
    if likest is None or (likest.score or 0.0) < MIN_KILLED_SCORE:
        return None
    view = _find_own(arrival, window, likest.view)
    if view is None or view.relation == "kill":  # another story's kill in the same words
        return None
    return likest._replace(view=view, overlap=likest.overlap if view is likest.view else None)


def _find_by_link(arrival: Arrival, window: Window) -> Parent | None:
    """What the story was made from, as the publisher says."""
    for identifier in linked_identifiers(arrival.event.story):
        for key in (
            hash_key("uri", short_uri(identifier)),
            alternative_key(identifier, authority_of(arrival.source)),
        ):
            if view := _find_own(arrival, window, window.find_view(key), identifier):
                return Parent(view, {"by-link": 1.0})
    return None


def _find_own(
    arrival: Arrival, window: Window, view: RecordView | None, identifier: str = ""
) -> RecordView | None:
    """A record, or the one that it is a copy of, if the arrival's source may change it.

    `identifier` is a uri for which the feed may be entitled to speak.
    """
    if view is None:
        return None
    provenance = arrival.event.provenance
    if may_change(arrival.source, view.source) or (provenance and is_entitled(provenance.url, identifier)):
        return view
    origins = (window.find_view(hash_key("uri", uri)) for uri in view.origins())
    return next((origin for origin in origins if origin and may_change(arrival.source, origin.source)), None)


def _find_own_by_key(arrival: Arrival, window: Window, key: int) -> RecordView | None:
    """The newest record that has a key, if the arrival's source may change it."""
    return _find_own(arrival, window, window.find_view(key))


def _find_by_name(arrival: Arrival, window: Window) -> Parent | None:
    """The story whose headline an advisory or correction quotes."""
    if not arrival.signals.names:
        return None
    story = find_headline(arrival.signals.names, arrival.sender, partial(_find_own_by_key, arrival, window))
    return Parent(story.view, {"by-name": 1.0, story.figure: story.value}) if story else None


def _find_by_content(arrival: Arrival, window: Window) -> Parent | None:
    """The same text, word for word; of a brief the headline, too."""
    fingerprint = arrival.fingerprint
    says_something = fingerprint.words or arrival.event.text or arrival.event.headline
    view = window.find_view(content_key(fingerprint)) if says_something else None
    if view is None:
        return None
    same = view.head.content == fingerprint.content and _has_same_sentences(arrival, view)
    if not (same and _is_near(arrival, window, view)):
        return None
    if fingerprint.words < BRIEF_WORDS and view.word_sets().headline != fingerprint.headline.tolist():
        return None
    return Parent(view, {"by-content": 1.0}, 1.0)


def _has_same_sentences(arrival: Arrival, view: RecordView) -> bool:
    """Whether two stories with one hash of their content are no accident; an old record has its shingles only."""
    occasion = view.occasion()
    if occasion is None:
        return np.array_equal(view.shingles, arrival.fingerprint.shingles)
    return occasion.sentences == arrival.occasion.sentences


def _find_by_brief(arrival: Arrival, window: Window) -> Parent | None:
    """A brief of the same source and hour that tells the same in other words, or whose story this is."""
    source, words = arrival.occasion.source, arrival.brief
    if words is None:
        if not window.has_brief(source, arrival.time_ms, read_title(arrival.report, window.language)):
            return None
        words = read_lead(arrival.report, window.language)
    brief = window.find_brief(source, arrival.time_ms, words) if words else None
    if brief is None or brief[0].relation == "kill":
        return None
    return Parent(brief[0], {"by-brief": 1.0}, round(brief[1], 4), is_sure=True)


def _find_by_text(arrival: Arrival, window: Window, reading: WindowReading) -> Parent | None:
    """The likest of the stories that share rare shingles, and of those that it comes from."""
    keys = dict(reading.candidates)
    likely = _measure_likely(arrival, window, reading, list(keys))
    if not likely:
        return None
    row = max(likely, key=lambda candidate: likely[candidate].score)  # the first of equals
    origins = window.find_origins(likely[row].view)
    likely |= _measure_likely(arrival, window, reading, [row for row in origins if row not in keys])
    ranked = sorted(likely, key=lambda row: (-likely[row].score, row not in origins))
    roots = {likeness.view.uri: likeness for likeness in likely.values()}
    kin = list(islice((row for row in ranked if _is_kin(arrival, window, likely[row], roots)), MAX_OTHERS))
    row = (kin or ranked)[0]
    best = likely[row]
    hours = abs(arrival.time_ms - best.view.head.time_ms) / HOUR_MS
    evidence = {**best.features, "shared-keys": float(keys.get(row, 0)), "hours": hours}
    others = tuple([likely[other].view for other in kin])
    return Parent(
        best.view, evidence, best.score, best.overlap, others, is_kin=bool(kin), is_sure=is_rewritten(best)
    )


def _is_kin(arrival: Arrival, window: Window, likeness: Likeness, likely: Mapping[str, Likeness]) -> bool:
    """Whether a likely parent tells the same report, and its chain is the story's, too. `likely` are those by uri."""
    chain, earlier = likeness.view.chain, likeness.view.report()
    if not earlier.text:  # of a record that holds none
        return True
    if not is_same_report(arrival.report, likeness, earlier):
        return False
    if chain == likeness.view.uri or window.find_view(hash_key("uri", chain)) is None:
        return True
    return continues_chain(arrival.report, likeness, earlier, likely.get(chain))


def _measure_likely(
    arrival: Arrival, window: Window, reading: WindowReading, rows: Sequence[int]
) -> dict[int, Likeness]:
    """The likeness of those rows that may tell the same report."""
    likely: dict[int, Likeness] = {}
    overlaps = window.measure(reading, rows)
    for row in rows:
        overlap = overlaps[row]
        if overlap is None or row < window.first or not _is_near(arrival, window, view := window.view(row)):
            continue
        if likeness := measure_likeness(arrival.fingerprint, arrival.report, arrival.time_ms, view, overlap):
            likely[row] = likeness
    return likely


def _is_near(arrival: Arrival, window: Window, view: RecordView) -> bool:
    return abs(arrival.time_ms - view.head.time_ms) <= window.length_ms


def judge_story(arrival: Arrival, parent: Parent | None, window: Window) -> StoryVerdict:
    """The relation, by the publisher's status and marks first, then by versions, then by what is new in the story.

    A correction or kill is one also where its story was never seen. A copy of any member of the chain is a duplicate of
    that one.
    """
    story, signals, fingerprint = arrival.event.story, arrival.signals, arrival.fingerprint
    view = parent.view if parent else None
    if is_kill(arrival):
        return StoryVerdict("kill", view)
    same = view is not None and view.head.content == fingerprint.content
    if signals.relation == "correction" and not (same and view and view.relation == "correction"):
        return StoryVerdict("correction", view, compare_reports(arrival, view) if view else ())
    if parent is None or view is None:
        return StoryVerdict("new", None)
    if "by-uri" in parent.evidence and (
        is_older(story, view.version) or _says_the_same(arrival, view, window)
    ):
        return StoryVerdict("duplicate", view)
    novel = compare_reports(arrival, view)
    says_so = not same and (signals.relation == "update" or "by-link" in parent.evidence)
    if "by-uri" in parent.evidence or says_so:
        return StoryVerdict("update", view, novel)
    others = _other_members(parent, window) if novel else [view]
    copied = next((other for other in others if not novel or not compare_reports(arrival, other, 1)), None)
    return StoryVerdict("duplicate", copied) if copied else StoryVerdict("update", view, novel)


def _says_the_same(arrival: Arrival, newest: RecordView, window: Window) -> bool:
    """Whether a version changes nothing of the newest one but its number and times."""
    view = window.find_view(arrival.saying_key)
    return view is not None and view.raw is newest.raw


def compare_reports(
    arrival: Arrival, view: RecordView, limit: int = MAX_PASSAGES
) -> tuple[NovelPassage, ...]:
    """What a story says that an earlier one did not, up to a limit."""
    return find_novelty(arrival.report, view.report(), view.language, partial(_was_printed, view), limit)


def _other_members(parent: Parent, window: Window) -> list[RecordView]:
    """Other members of the parent's chain: those that are like the story, what the parent was made from, the first."""
    others = [*parent.others, *map(window.view, window.find_origins(parent.view))]
    by_uri = {other.uri: other for other in others if other.chain == parent.view.chain}
    return [other for uri, other in by_uri.items() if uri != parent.view.uri]


def _was_printed(view: RecordView, sentence: str) -> bool:
    """Whether an earlier story had a sentence: among those that its source repeats, or in what is not remembered."""
    if view.has_sentences(sentence):
        return True
    if not view.head.is_cut:
        return False
    shingles = np.unique(make_shingles(sentence))
    shingles = shingles[shingles <= view.head.bound]
    return len(shingles) > 0 and float(find_shared(shingles, view.shingles).mean()) >= MIN_SAMPLED_SHARE


def is_older(story: Story, newest: str) -> bool:
    """Whether a version came after a later one; versions that are not numbers have no order but the log's."""
    version = story.version
    if not version or not version.isdecimal() or not newest.isdecimal():
        return False
    return max(len(version), len(newest)) <= MAX_VERSION_DIGITS and int(version) < int(newest)
