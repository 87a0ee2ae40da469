"""The messages of alerts: which alerts share one, and what is written in it: as JSON, and as text for people.

A message goes to one target, and is tried again until the target takes it. Its id stays the same over all tries, so that
a receiver that keeps ids gets nothing twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final, Literal
from urllib.parse import quote

from msgspec.structs import replace

from processors.model import Model
from processors.model.codec import to_builtins
from processors.times import to_timestamp
from sinks.alerts.decisions import ID_CHARS, Alert
from sinks.alerts.saved import AlertTarget

MessageState = Literal["waiting", "sent", "failed", "dropped"]
MessageKind = Literal["story", "digest", "kill", "correction"]
MARKS: Final = {"kill": "KILL", "correction": "CORRECTION", "story": "", "digest": ""}
WITHDRAWN_WORDS: Final = {
    "killed": "withdrawn: do not use",
    "corrected": "corrected since: see the correction",
    "replaced": "replaced by a later version",
}
MAX_SUBJECT_CHARS: Final = 150  # of a line that mail programs show in a list


class AlertMessage(Model, frozen=True):
    """One message to one target. Times are in milliseconds since the epoch; `number` is its place in the store's order.

    `more` counts stories that are not named, `attempts` the tries that have begun, `next_try` is when the next may, `error`
    what came of the last. `earlier` is the message with the story that a kill or correction follows.
    """

    id: str
    search: str
    search_name: str
    target: AlertTarget
    kind: MessageKind
    alerts: tuple[str, ...]
    created: int
    more: int = 0
    state: MessageState = "waiting"
    attempts: int = 0
    next_try: int = 0
    finished: int = 0
    error: str = ""
    number: int = 0
    earlier: str = ""
    owner: str = ""


def plan_messages(alerts: Sequence[Alert], more: int, now: int) -> list[AlertMessage]:
    """The messages of a search's alerts that are due, in their order: those that are grouped share one a target.

    `more` stories are only counted; they are told in the digest, which is there for them also where it names none.
    """
    single = [alert for alert in alerts if not alert.grouped]
    grouped = [alert for alert in alerts if alert.grouped]
    messages = [
        _make_message([alert], target, alert.kind, 0, now) for alert in single for target in alert.targets
    ]
    if grouped:
        targets = {target.key: target for alert in grouped for target in alert.targets}
        for target in targets.values():
            own = [alert for alert in grouped if target in alert.targets]
            messages.append(_make_message(own, target, "digest", more, now))
    return messages


def message_id(target: AlertTarget, alerts: Sequence[str]) -> str:
    """The id of the message with these alerts to a target."""
    text = "\0".join((target.key, *alerts))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:ID_CHARS]


def _make_message(
    alerts: Sequence[Alert], target: AlertTarget, kind: MessageKind, more: int, now: int
) -> AlertMessage:
    first = alerts[0]
    names = tuple(alert.id for alert in alerts)
    earlier = message_id(target, [first.follows]) if first.follows else ""
    message = AlertMessage(
        message_id(target, names),
        first.search,
        first.search_name,
        target,
        kind,
        names,
        now,
        more,
        earlier=earlier,
        owner=first.owner,
    )
    # open pages read it from the store: nothing is sent
    return replace(message, state="sent", finished=now) if target.kind == "page" else message


def describe_message(message: AlertMessage, alerts: Sequence[Alert], desk: str) -> dict[str, Any]:
    """A message as JSON: for webhooks, and for pages of the desk. `desk` is the desk's public address, or empty."""
    query = alerts[0].query if alerts else ""
    return {
        "type": "alert",
        "id": message.id,
        "kind": message.kind,
        "time": to_timestamp(message.created),
        "search": {"id": message.search, "name": message.search_name, "query": query},
        "title": subject_of(message, alerts),
        "stories": [describe_alert(alert, desk) for alert in alerts],
        "more": message.more,
        "link": list_address(query, desk),
    }


def describe_alert(alert: Alert, desk: str) -> dict[str, Any]:
    """An alert as JSON. What was killed since is named, and no word of it told."""
    is_told = alert.withdrawn != "killed" or alert.kind == "kill"
    return {
        "alert": alert.id,
        "kind": alert.kind,
        "uri": alert.uri,
        "version": alert.number,
        "key": alert.version,
        "chain": alert.chain,
        "sequence": alert.sequence,
        "relation": alert.relation,
        "headline": alert.headline if is_told else None,
        "lead": alert.lead if is_told else None,
        "source": alert.source,
        "language": alert.language,
        "urgency": alert.urgency,
        "time": alert.time,
        "withdrawn": alert.withdrawn or None,
        "follows": alert.follows or None,
        "why": [to_builtins(reason) for reason in alert.reasons] if is_told else [],
        "link": story_address(alert.uri, desk),
        "explained": f"{desk}/api/alerts/{alert.id}",
    }


def subject_of(message: AlertMessage, alerts: Sequence[Alert]) -> str:
    """A message in one line: what happened, and which search it is for."""
    if message.kind == "digest":
        count = len(alerts) + message.more
        text = f"{count} {'story' if count == 1 else 'stories'}"
    else:
        mark = MARKS[message.kind]
        headline = _shown_headline(alerts[0]) if alerts else ""
        text = f"{mark}: {headline}" if mark else headline
    name = f" [{message.search_name}]"
    room = max(20, MAX_SUBJECT_CHARS - len(name))
    return (text if len(text) <= room else f"{text[: room - 1].rstrip()}…") + name


def write_text(message: AlertMessage, alerts: Sequence[Alert], desk: str) -> str:
    """A message for people, as plain text: each story with why it is told, then what is only counted."""
    parts = [_opening(message, alerts)]
    parts += ["\n".join(_story_lines(alert, desk)) for alert in alerts]
    if message.more:
        parts.append(
            f"and {message.more} more that this search has found; it finds too much to name all of it."
        )
    query = alerts[0].query if alerts else ""
    parts.append("\n".join(_closing_lines(message, query, desk)))
    return "\n\n".join(parts) + "\n"


def _opening(message: AlertMessage, alerts: Sequence[Alert]) -> str:
    if message.kind == "kill":
        return "KILL. A story that this search had told you of is withdrawn. Do not use it; take it down where it is out."
    if message.kind == "correction":
        return "CORRECTION. A story that this search had told you of is corrected."
    if message.kind == "digest":
        return f"Found by your search “{message.search_name}” ({len(alerts) + message.more}):"
    return f"Found by your search “{message.search_name}”:"


def _story_lines(alert: Alert, desk: str) -> list[str]:
    lines = [_shown_headline(alert)]
    facts = [alert.source, alert.relation if alert.relation != "new" else None, alert.language, alert.time]
    if alert.urgency is not None:
        facts.insert(0, f"urgency {alert.urgency}")
    lines.append(" · ".join(fact for fact in facts if fact))
    if alert.withdrawn and alert.kind == "story":
        return lines
    if alert.lead:
        lines.append(alert.lead)
    for reason in alert.reasons:
        where = f" in the {reason.inside}" if reason.inside in {"headline", "text"} else ""
        words = f": … {reason.excerpt} …" if reason.excerpt and reason.inside != "headline" else ""
        lines.append(f"Why: {reason.part}{where}{words}")
    if alert.follows:
        lines.append("Why: you were told of the story that this touches.")
    lines.append(story_address(alert.uri, desk) or alert.uri)
    return lines


def _shown_headline(alert: Alert) -> str:
    if alert.withdrawn and alert.kind == "story":
        headline = "" if alert.withdrawn == "killed" else alert.headline
        return f"[{WITHDRAWN_WORDS[alert.withdrawn]}] {headline or alert.uri}"
    return alert.headline or alert.uri


def _closing_lines(message: AlertMessage, query: str, desk: str) -> list[str]:
    lines = ["--", f"Search: {message.search_name} ({query})"]
    if desk:
        lines.append(f"All that it finds: {list_address(query, desk)}")
        lines.append(f"Change or end it: {desk}/searches")
    lines.append(f"Message {message.id}")
    return lines


def story_address(uri: str, desk: str) -> str:
    """The address of a story's page; empty where the desk's is not known."""
    return f"{desk}/stories/{quote(uri, safe='')}" if desk else ""


def list_address(query: str, desk: str) -> str:
    """The address of the live list of a query."""
    return f"{desk}/?q={quote(query, safe='')}" if desk else ""
