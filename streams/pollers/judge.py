"""What a poll is to ask, and what its answer means: pure functions between a feed's state and the engine."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import xxhash
from msgspec import structs

from config.settings import Normalise, Poll
from processors.errors import Empty, Malformed, NotAFeed, NotText, Rejected, UnknownFormat
from processors.model.event import RawItem
from streams.messages import rfc3339
from streams.pollers import schedule
from streams.pollers.documents import Document, take_apart
from streams.pollers.feed import Feed, redact_url
from streams.pollers.fetch import Answer, Request
from streams.pollers.identity import Comparison, compare
from streams.pollers.outcomes import SOUND, Outcome
from streams.pollers.state import FeedState

REMEMBERED_BODIES: Final = 8
MAX_VALIDATOR: Final = 1000  # characters; a longer one is not worth keeping
OUTCOME_OF: Final[dict[type[Rejected], Outcome]] = {
    Empty: "empty", NotAFeed: "not_a_feed", UnknownFormat: "not_a_feed", NotText: "not_a_feed", Malformed: "malformed",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Gap:
    """Entries may have come and gone between two polls."""

    feed: str
    since: str
    at: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do after a poll, in this order: publish, reject, tell the gap, save the state.

    `hold_until` is when the host may be asked again (seconds since the epoch), 0 for "as usual".
    """

    outcome: Outcome
    state: FeedState
    items: tuple[RawItem, ...] = ()
    rejected: tuple[RawItem, Rejected] | None = None
    gap: Gap | None = None
    hold_until: float = 0.0


def plan(
    feed: Feed,
    state: FeedState,
    settings: Poll,
    now: float,
    environment: Mapping[str, str],
    *,
    resumed: bool = False,
) -> Request:
    """What to ask for. At least every ``unconditional_s`` the validators stay away: some servers say 304 for ever.

    A `resumed` feed was due before we began. Whoever polled it before may have died over just such a request, so the
    first one is conditional.
    """
    url = state.url or feed.url
    conditional = resumed or now - state.unconditional < settings.unconditional_s
    authorization = ""
    if feed.basic_auth_env and (pair := environment.get(feed.basic_auth_env)):
        authorization = "Basic " + base64.b64encode(pair.encode()).decode()
    elif feed.bearer_token_env and (token := environment.get(feed.bearer_token_env)):
        authorization = f"Bearer {token}"
    return Request(
        url,
        etag=state.etag if conditional else "",
        last_modified=state.last_modified if conditional else "",
        validated_url=state.validated_url,
        authorization=authorization,
        proxy=environment.get(feed.proxy_env, "") if feed.proxy_env else "",
    )


def judge(feed: Feed, state: FeedState, answer: Answer, settings: Poll, now: float, random: float) -> Verdict:
    """What an answer means for a feed. `now` is when it was complete, `random` is in [0, 1)."""
    if answer.status == 200 and not answer.failure:
        verdict = _document(feed, state, answer, settings, now)
    else:
        verdict = _status(state, answer, now)
    after = replace(verdict.state, outcome=verdict.outcome, polled=now, held_until=verdict.hold_until)
    after = _counted(after, verdict.outcome, now)
    after = schedule.after(after, verdict.outcome, feed, settings, now, random, verdict.hold_until)
    return replace(verdict, state=_moved(after, answer, settings, now))


def _status(state: FeedState, answer: Answer, now: float) -> Verdict:
    """The verdict on an answer without a document."""
    status, retry_at = answer.status, schedule.retry_after(answer.headers, now)
    message = answer.message or f"the server said {status}"
    hold = 0.0
    outcome: Outcome
    if answer.failure:
        outcome = answer.failure
    elif status == 304 and answer.conditional:
        outcome, message, state = "not_modified", "", _validated(state, answer, now, whole=False)
    elif status == 429 or (status == 503 and retry_at is not None):
        outcome, hold = "throttled", retry_at or 0.0
    elif status == 410:
        outcome = "gone"
    elif 400 <= status < 500:
        outcome = "http_4xx"
    elif 500 <= status < 600:
        outcome = "http_5xx"
    else:
        outcome = "empty" if status in {204, 205} else "bad_response"
    return Verdict(outcome, replace(state, message=message), hold_until=hold)


def as_delivered(verdict: Verdict, before: FeedState) -> Verdict:
    """The verdict on a document that a hub delivered: its entries count, but it is no answer of the feed's host.

    It may hold nothing but what is new (WebSub, 7), so it tells of no gap; validators and errors stay as they were.
    """
    after = verdict.state
    if verdict.outcome not in SOUND:
        return replace(verdict, state=replace(before, rejected=after.rejected), gap=None)
    names = (
        "etag",
        "last_modified",
        "validated_url",
        "unconditional",
        "body",
        "gaps",
        "last_gap",
        "next_poll",
        "hub",
        "topic",
    )
    return replace(verdict, state=replace(after, **{name: getattr(before, name) for name in names}), gap=None)


def _document(feed: Feed, state: FeedState, answer: Answer, settings: Poll, now: float) -> Verdict:
    """The verdict on a body."""
    body = xxhash.xxh3_64_intdigest(answer.body) or 1
    if body == state.body:
        return Verdict("unchanged", replace(_validated(state, answer, now), message=""))
    try:
        document = take_apart(answer.body, answer.charset, redact_url(answer.url))
        if not document.whole and not document.entries:
            raise Malformed("the document stops before its first entry")
    except UnknownFormat as error:
        return _other_format(feed, state, answer, body, now) or _refused(
            feed, state, answer, error, body, now
        )
    except Rejected as error:
        return _refused(feed, state, answer, error, body, now)
    message = ""
    if len(document.entries) > settings.max_entries:
        message = f"{len(document.entries)} entries; only the first {settings.max_entries} are read"
        document = replace(document, entries=document.entries[: settings.max_entries])
    found = compare(document, state, feed.source or feed.id, now)
    gap = _gap(feed, state, found, document, now)
    after = replace(
        state, entries=tuple(found.known), shared=tuple(found.shared), capped=state.capped + found.capped,
        message=message, gaps=state.gaps + bool(gap), last_gap=now if gap else state.last_gap,
    )  # fmt: skip
    after = schedule.heard(after, found.new, now) if found.new else after
    items = tuple(
        _item(feed, answer, document, found, place, now) for place in reversed(range(len(found.changes)))
    )
    if not document.whole:
        told = "the document stops before its end; its whole entries were taken"
        cut = (*state.cut, *(change.uri for change in found.changes if change.version == 1))
        return Verdict("truncated", replace(after, message=told, cut=cut), items, gap=gap)
    after = _validated(after, answer, now, items=found.new)
    after = _hinted(replace(after, body=body, cut=()), document, answer, now)
    return Verdict("new" if items else "unchanged", after, items, gap=gap)


def _other_format(feed: Feed, state: FeedState, answer: Answer, body: int, now: float) -> Verdict | None:
    """The verdict on a document of another wire format (NewsML, NITF, ninjs …), handed on whole; None for none."""
    from processors.normalise import normalise

    item = _envelope(feed, answer, now, answer.body, "new")
    try:
        events = normalise(item, Normalise(languages=("en",)))
    except Rejected:
        return None
    if all(isinstance(event, Rejected) for event in events):
        return None
    after = _validated(schedule.heard(replace(state, message=""), 1, now), answer, now, items=1)
    return Verdict("new", replace(after, body=body), (item,))


def _refused(feed: Feed, state: FeedState, answer: Answer, error: Rejected, body: int, now: float) -> Verdict:
    """A document that can't be read goes to the dead letters, each body once."""
    outcome = OUTCOME_OF.get(type(error), "malformed")
    after = replace(state, message=str(error))
    if not answer.conditional:
        after = replace(after, unconditional=now)
    if body in state.rejected:
        return Verdict(outcome, after)
    after = replace(after, rejected=(*state.rejected, body)[-REMEMBERED_BODIES:])
    item = _envelope(feed, answer, now, answer.body, outcome)
    return Verdict(outcome, after, rejected=(item, error))


def _item(
    feed: Feed, answer: Answer, document: Document, found: Comparison, place: int, now: float
) -> RawItem:
    change = found.changes[place]
    item = _envelope(feed, answer, now, document.alone(change.entry), "new")
    charset = (
        document.codec if document.guessed else item.charset
    )  # the whole document tells more than one entry
    return structs.replace(item, uri=change.uri, version=str(change.version), charset=charset)


def _envelope(feed: Feed, answer: Answer, now: float, payload: bytes, outcome: Outcome) -> RawItem:
    return RawItem(
        payload=payload, received=rfc3339(int(now * 1000)), feed=feed.id, url=redact_url(answer.url),
        media_type=answer.media_type, charset=answer.charset, language=feed.language, source=feed.source,
        timezone=feed.timezone, outcome=outcome,
    )  # fmt: skip


def _gap(feed: Feed, state: FeedState, found: Comparison, document: Document, now: float) -> Gap | None:
    """A whole document that shares nothing with the last whole one. What is missing in a cut one may follow in it."""
    if found.overlap or not document.entries or not document.whole:
        return None
    if all(known.uri in state.cut for known in state.entries):
        return None
    since = state.last_success or state.polled
    return Gap(feed.id, rfc3339(int(since * 1000)), rfc3339(int(now * 1000)))


def _validated(state: FeedState, answer: Answer, now: float, whole: bool = True, items: int = 0) -> FeedState:
    """The state with the validators exactly as sent. A 304 changes only those that it names."""
    state = schedule.observed(state, items, now)
    etag, modified = _validator(answer, "ETag"), _validator(answer, "Last-Modified")
    if not whole:
        etag, modified = etag or state.etag, modified or state.last_modified
    state = schedule.refreshed(state, schedule.freshness(answer.headers, now), now)
    return replace(
        state, etag=etag, last_modified=modified, validated_url=answer.url, last_success=now,
        unconditional=state.unconditional if answer.conditional else now,
    )  # fmt: skip


def _validator(answer: Answer, name: str) -> str:
    told = answer.headers.get(name, "")
    try:
        told.encode()
    except UnicodeEncodeError:
        return ""
    return told if len(told) <= MAX_VALIDATOR else ""


def _hinted(state: FeedState, document: Document, answer: Answer, now: float) -> FeedState:
    """The state with what the document says of its rhythm; what HTTP says of freshness goes first."""
    linked = answer.links.get("hub", ""), answer.links.get("self", "")
    if document.json:
        return replace(state, hub=linked[0], topic=linked[1])
    found = schedule.hints(document.head, document.codec)
    if found.freshness and schedule.freshness(answer.headers, now) is None:
        state = schedule.refreshed(state, found.freshness, now)
    return replace(
        state, skip_hours=found.skip_hours, skip_days=found.skip_days,
        hub=linked[0] or found.hub, topic=linked[1] or found.topic,
    )  # fmt: skip


def _counted(state: FeedState, outcome: Outcome, now: float) -> FeedState:
    if outcome in SOUND:
        return replace(state, last_success=now, since=state.since or now)
    return replace(state, errors={**state.errors, outcome: state.errors.get(outcome, 0) + 1})


def _moved(state: FeedState, answer: Answer, settings: Poll, now: float) -> FeedState:
    """A permanent redirect moves the feed once it has been seen for ``move_after_s``; any other answer forgets it."""
    if answer.failure or answer.status not in {200, 304}:
        return state
    if not answer.moved or answer.moved != answer.url:
        return replace(state, moved_to="", moved_since=0.0) if state.moved_to else state
    if state.moved_to != answer.moved:
        return replace(state, moved_to=answer.moved, moved_since=now)
    if now - state.moved_since < settings.move_after_s:
        return state
    return replace(state, url=answer.moved, moved_to="", moved_since=0.0)
