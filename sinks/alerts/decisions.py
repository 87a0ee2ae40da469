"""What follows of an event for those whom searches alert. Pure: values in, values out.

An alert is one version of one story for one search, whatever comes again: its id says so. Kills and corrections follow
to whoever got the story that they touch, also where they fit the search no longer, and at once; of a story that nobody
has got yet, only its alert is dropped. Embargoes are kept: an alert waits, and a kill that comes first drops it.

A search makes only so many alerts an hour by themselves; what is more comes as a digest at the end of the hour, which
names some and counts the rest, so that nothing is left out in silence.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from msgspec.structs import replace

from processors.model import Model
from processors.model.event import Event, Relation
from processors.times import to_timestamp
from sinks.alerts.matching import MatchReason, SearchMatch
from sinks.alerts.saved import AlertRule, AlertTarget, SavedSearch
from sinks.alerts.schedule import next_digest, quiet_end
from sinks.search import lead_text, shown_headline
from sinks.stories import FOR_EVER_MS, is_repeat, lineage, source_name, story_time, visible_from
from sinks.versions import version_key

AlertKind = Literal["story", "correction", "kill"]
# ``waiting`` for its time, ``written`` into messages, ``dropped`` before anybody got it
AlertState = Literal["waiting", "written", "dropped"]
ID_CHARS: Final = 24  # of a hash: 96 bits, so that no two alerts of a store have one id


class Alert(Model, frozen=True):
    """One version of a story for one search. Times are in milliseconds since the epoch.

    `due` is when it may go out by the search's rhythm (0: at once), `visible` when the story's embargo ends; `grouped`
    ones share a message. `withdrawn` says what became of the story since. `follows` is the alert of the story that a kill
    or correction touches. `place` is where a list has it, in a store without numbers of its own. `reasons` are the parts of `query` that the story fits; none where it only follows.
    """

    id: str
    search: str
    search_name: str
    query: str
    kind: AlertKind
    uri: str
    version: str
    chain: str
    sequence: int
    relation: Relation
    headline: str
    lead: str
    time: str
    created: int
    targets: tuple[AlertTarget, ...]
    source: str | None = None
    language: str | None = None
    urgency: int | None = None
    number: str | None = None
    owner: str = ""
    reasons: tuple[MatchReason, ...] = ()
    due: int = 0
    visible: int = 0
    grouped: bool = False
    state: AlertState = "waiting"
    withdrawn: str = ""
    follows: str = ""
    place: int = 0


CountKey = tuple[str, int]  # a search, and the end of the time that is counted, in milliseconds


@dataclass(frozen=True, slots=True)
class AlertLimits:
    """How many alerts a search makes by themselves in an hour, and how many stories a digest names."""

    per_hour: int = 60
    listed: int = 100


@dataclass(slots=True)
class AlertChanges:
    """What is to be written: new alerts, earlier ones as they are from now on, and how many stories are only counted."""

    added: list[Alert] = field(default_factory=list)
    changed: list[Alert] = field(default_factory=list)
    stored: dict[CountKey, int] = field(default_factory=dict)  # alerts that were added, by what is counted
    more: dict[CountKey, int] = field(default_factory=dict)


def touches_others(event: Event) -> bool:
    """Whether what is known of its chain matters: it may kill, correct or replace a story that somebody was alerted to."""
    place = lineage(event)
    return place.relation in {"kill", "correction", "update"} or event.story.pub_status == "canceled"


def decide_alerts(
    event: Event,
    matches: Sequence[SearchMatch],
    earlier: Sequence[Alert],
    counts: Mapping[CountKey, int],
    limits: AlertLimits,
    now: int,
) -> AlertChanges:
    """What follows of an event.

    Args:
        event: what came.
        matches: the searches that it fits.
        earlier: the alerts of its chain, those of this event among them where it has come before.
        counts: how many alerts were added for what is counted (`count_key`); what is missing counts as 0.
        limits: the operator's.
        now: the time, in milliseconds.
    """
    changes = AlertChanges()
    if is_repeat(event):
        return changes
    key = version_key(event)
    others = [alert for alert in earlier if (alert.uri, alert.version) != (event.story.uri, key)]
    present = {alert.search for alert in earlier if (alert.uri, alert.version) == (event.story.uri, key)}
    following: dict[str, Alert] = {}
    if kind := _withdrawal_of(event):
        following = _withdraw(event, kind, others, changes)
    else:
        _drop_replaced(event, others, changes)
    for alert in following.values():
        if alert.search not in present:
            reasons = next((match.reasons for match in matches if match.search.id == alert.search), ())
            follows = _following_alert(event, key, kind or "correction", alert, now)
            changes.added.append(replace(follows, reasons=reasons))
    old = event.provenance is not None and event.provenance.backfill
    if old or visible_from(event) >= FOR_EVER_MS:
        return changes
    for match in matches:
        if match.search.id in present or match.search.id in following:
            continue
        if match.search.alert is None or match.search.alert.paused:
            continue
        if kind == "kill" and not match.asks_for_kills:
            continue
        _add_match(event, key, match, match.search.alert, counts, limits, now, changes)
    return changes


def count_key(search: SavedSearch, now: int) -> CountKey:
    """What the alerts that a search makes now are counted under."""
    rule = search.alert or AlertRule()
    end = next_digest(rule.rhythm, rule.at, rule.zone, now) or next_digest("hour", rule.at, rule.zone, now)
    return search.id, end


def _withdrawal_of(event: Event) -> Literal["kill", "correction"] | None:
    relation = lineage(event).relation
    if relation == "kill" or event.story.pub_status == "canceled":
        return "kill"
    return "correction" if relation == "correction" else None


def _withdraw(
    event: Event, kind: Literal["kill", "correction"], others: Iterable[Alert], changes: AlertChanges
) -> dict[str, Alert]:
    """Mark the alerts of stories that are killed or corrected; the last one that went out, by search."""
    place = lineage(event)
    followed: dict[str, Alert] = {}
    for alert in sorted(others, key=lambda one: (one.sequence, one.created)):
        if kind == "kill":
            is_guest = place.source is not None
            is_touched = alert.sequence <= place.sequence and (
                not is_guest or alert.uri in {place.of, event.story.uri}
            )
        else:
            is_touched = alert.uri in {place.of, event.story.uri}
        if not is_touched or alert.state == "dropped":
            continue
        state: AlertState = "dropped" if alert.state == "waiting" else "written"
        word = "killed" if kind == "kill" else "corrected"
        if (alert.state, alert.withdrawn) != (state, word) and alert.withdrawn != "killed":
            changes.changed.append(replace(alert, state=state, withdrawn=word))
        if state == "written" and alert.kind != "kill":
            followed[alert.search] = alert
    return followed


def _drop_replaced(event: Event, others: Iterable[Alert], changes: AlertChanges) -> None:
    """Drop what nobody has got yet of a story that says something else now."""
    for alert in others:
        if alert.uri == event.story.uri and alert.state == "waiting":
            changes.changed.append(replace(alert, state="dropped", withdrawn="replaced"))


def _following_alert(event: Event, key: str, kind: AlertKind, before: Alert, now: int) -> Alert:
    """The alert to a kill or correction, for whoever got the story; a correction that is under embargo waits as well."""
    visible = 0 if kind == "kill" else visible_from(event)
    alert = _make_alert(event, key, before.search, before.search_name, before.query, before.targets, now)
    return replace(alert, owner=before.owner, kind=kind, visible=visible, follows=before.id)


def _add_match(
    event: Event, key: str, match: SearchMatch, rule: AlertRule, counts: Mapping[CountKey, int],
    limits: AlertLimits, now: int, changes: AlertChanges,
) -> None:  # fmt: skip
    visible = visible_from(event)
    begin = max(now, visible)
    due = next_digest(rule.rhythm, rule.at, rule.zone, begin)
    quiet = quiet_end(rule.quiet_from, rule.quiet_until, rule.zone, due or begin)
    counted = count_key(match.search, begin)
    number = counts.get(counted, 0) + changes.stored.get(counted, 0)
    room = limits.per_hour if rule.rhythm == "once" else 0
    if number >= room + limits.listed:
        changes.more[counted] = changes.more.get(counted, 0) + 1
        return
    changes.stored[counted] = changes.stored.get(counted, 0) + 1
    is_over = rule.rhythm == "once" and number >= room
    alert = _make_alert(event, key, match.search.id, match.search.name, match.search.query, rule.targets, now)
    changes.added.append(
        replace(
            alert,
            owner=match.search.owner,
            kind=_withdrawal_of(event) or "story",
            reasons=match.reasons,
            visible=visible,
            due=max(due, quiet, counted[1] if is_over else 0),
            grouped=bool(due or quiet or is_over),
        )
    )


def _make_alert(
    event: Event, key: str, search: str, name: str, query: str, targets: tuple[AlertTarget, ...], now: int
) -> Alert:
    place, story = lineage(event), event.story
    return Alert(
        id=alert_id(search, story.uri, key), search=search, search_name=name, query=query, kind="story",
        uri=story.uri, version=key, chain=place.story, sequence=place.sequence, relation=place.relation,
        headline=shown_headline(event), lead=lead_text(event), time=to_timestamp(story_time(event)), created=now,
        targets=targets, source=source_name(event),
        language=event.language.tag if event.language else story.language, urgency=story.urgency,
        number=story.version,
    )  # fmt: skip


def alert_id(search: str, uri: str, version: str) -> str:
    """The id of an alert: the same for the same version of a story, however often it comes."""
    text = f"{search}\0{uri}\0{version}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:ID_CHARS]
