"""What a poll is to ask, and what its answer means: pure functions between a feed's state and the engine."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import xxhash
from msgspec import structs
from multidict import CIMultiDict

from config.redaction import holds_secret, redact_secrets
from config.settings import Normalise, Poll
from processors.errors import Bug, Empty, Malformed, NotAFeed, NotText, Rejected, TooLarge, UnknownFormat
from processors.model.event import RawItem
from processors.times import to_timestamp
from streams.pollers import budget, schedule
from streams.pollers.documents import FeedDocument, split_document
from streams.pollers.feed import SOUND_OUTCOMES, Feed, PollOutcome
from streams.pollers.fetch import DOCUMENT_STATUSES, Answer, Request, hash_url, host_of
from streams.pollers.identity import Comparison, compare
from streams.pollers.state import FeedState, pack_state, unpack_state
from streams.settlement import MAX_CRASHES

MAX_REJECTED_BODIES: Final = 8  # whose hashes are kept, so that each goes to the dead letters once
MAX_VALIDATOR_CHARS: Final = 1000  # of an ETag that is kept: servers send some 40
OUTCOME_OF: Final[dict[type[Rejected], PollOutcome]] = {
    Empty: "empty", NotAFeed: "not_a_feed", UnknownFormat: "not_a_feed", NotText: "not_a_feed", Malformed: "malformed",
    TooLarge: "too_large",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CoverageGap:
    """Entries may have come and gone between two polls."""

    feed: str
    since: str
    at: str


@dataclass(frozen=True, slots=True)
class PollVerdict:
    """What to do after a poll, in this order: publish, reject, tell the gap, save the state.

    `hold_until` is when the host may be asked again (seconds since the epoch), 0 for "as usual". `withheld` says what was
    cut or left out because it would cost too much, as the metric names it.
    """

    outcome: PollOutcome
    state: FeedState
    items: tuple[RawItem, ...] = ()
    rejected: tuple[RawItem, Rejected | Bug] | None = None
    gap: CoverageGap | None = None
    hold_until: float = 0.0
    withheld: tuple[str, ...] = ()


PackedVerdict = tuple[PollVerdict, bytes]  # without its state, and that as bytes


def plan_request(
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
        origin=feed.url,
        authorization=authorization,
        proxy=environment.get(feed.proxy_env, "") if feed.proxy_env else "",
    )


def judge_answer(
    feed: Feed, state: FeedState, answer: Answer, settings: Poll, now: float, random: float
) -> PollVerdict:
    """What an answer means for a feed. `now` is when it was complete, `random` is in [0, 1)."""
    if answer.status in DOCUMENT_STATUSES and not answer.failure:
        verdict = _keep_budget(
            _judge_document(feed, state, answer, settings, now), feed, state, answer, settings, now
        )
    else:
        verdict = _judge_status(state, answer, now)
    # What a host says of itself binds all its feeds; what it says through another's redirect only the feed that led there.
    is_own = host_of(answer.url) == host_of(feed.url)
    held_until = verdict.hold_until if is_own else 0.0
    after = replace(verdict.state, outcome=verdict.outcome, polled=now, held_until=held_until)
    after = _count_outcome(after, verdict.outcome, now)
    after = schedule.schedule_next(after, verdict.outcome, feed, settings, now, random, verdict.hold_until)
    if "hour" in verdict.withheld:
        after = replace(after, next_poll=max(after.next_poll, budget.next_hour(now)))
    return replace(verdict, state=_with_move(after, answer, settings, now))


def _keep_budget(
    verdict: PollVerdict, feed: Feed, before: FeedState, answer: Answer, settings: Poll, now: float
) -> PollVerdict:
    """The verdict within what the feed may leave in the log."""
    if verdict.items:
        try:
            spent = budget.spend_item_bytes(verdict.state, verdict.items, settings, now)
        except TooLarge as error:
            verdict = _reject_document(feed, before, answer, error, _hash_body(answer), now)
            verdict = replace(verdict, withheld=("hour",))
        else:
            if spent is None:
                message = (
                    "more new bytes than poll.max_feed_bytes_per_hour; they are read when the hour is over"
                )
                return PollVerdict("too_large", replace(before, message=message), withheld=("hour",))
            verdict = replace(verdict, state=spent)
    return _keep_letter_budget(verdict, settings, now)


def _keep_letter_budget(verdict: PollVerdict, settings: Poll, now: float) -> PollVerdict:
    if verdict.rejected is None:
        return verdict
    state, rejected, withheld = budget.spend_letter_bytes(verdict.state, verdict.rejected, settings, now)
    return replace(verdict, state=state, rejected=rejected, withheld=(*verdict.withheld, *withheld))


def holds_new_document(state: FeedState, answer: Answer) -> bool:
    """Whether an answer has a body that is to be read, which takes a time of its own; all else is a matter of headers."""
    if answer.status not in DOCUMENT_STATUSES or answer.failure:
        return False
    body = _hash_body(answer)
    return body not in {state.body, state.slow_body if _is_set_aside(state) else 0}


def judge_packed(arguments: Sequence[Any]) -> list[PackedVerdict]:
    """`judge_answer` for a child of the pool: feed, packed state, answer, settings, time, random number for each."""
    return [_judge_one(*argument) for argument in arguments]


def pack_question(
    feed: Feed, state: FeedState, answer: Answer, settings: Poll, now: float, random: float
) -> tuple[object, ...]:
    """The arguments of `judge_answer` as they travel: entries as bytes, headers as a copy of their own."""
    own = replace(answer, headers=CIMultiDict(answer.headers), links=dict(answer.links))
    return feed, pack_state(state), own, settings, now, random


def unpack_verdict(packed: PackedVerdict) -> PollVerdict:
    """The verdict that a child has packed."""
    verdict, state = packed
    return replace(verdict, state=unpack_state(state))


def judge_lost(
    feed: Feed, state: FeedState, answer: Answer, settings: Poll, now: float, random: float, *, reason: str
) -> PollVerdict:
    """The verdict on a document over which a child of the pool was lost: our own fault in reading one feed.

    A body that does so three times goes to the dead letters, and is not read again.
    """
    body = _hash_body(answer)
    count = state.slow_count + 1 if body == state.slow_body else 1
    after = replace(state, message=reason, slow_body=body, slow_count=count)
    rejected = None
    if count == MAX_CRASHES:
        error = Bug(f"reading it crashed {count} times ({reason}); see the log")
        rejected = (_envelope(feed, answer, now, answer.body, "bug"), error)
    after = _count_outcome(replace(after, outcome="bug", polled=now, held_until=0.0), "bug", now)
    after = schedule.schedule_next(after, "bug", feed, settings, now, random)
    return _keep_letter_budget(PollVerdict("bug", after, rejected=rejected), settings, now)


def _judge_one(
    feed: Feed, state: bytes, answer: Answer, settings: Poll, now: float, random: float
) -> PackedVerdict:
    verdict = judge_answer(feed, unpack_state(state), answer, settings, now, random)
    return replace(verdict, state=FeedState()), pack_state(verdict.state)


def _hash_body(answer: Answer) -> int:
    return xxhash.xxh3_64_intdigest(answer.body) or 1


def _is_set_aside(state: FeedState) -> bool:
    return state.slow_count >= MAX_CRASHES


def _judge_status(state: FeedState, answer: Answer, now: float) -> PollVerdict:
    """The verdict on an answer without a document."""
    status, retry_at = answer.status, schedule.retry_after(answer.headers, now)
    message = answer.message or f"the server said {status}"
    hold = 0.0
    outcome: PollOutcome
    if answer.failure:
        outcome = answer.failure
    elif status == 304 and answer.conditional:
        outcome, message, state = "not_modified", "", _with_validators(state, answer, now, whole=False)
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
    return PollVerdict(outcome, replace(state, message=message), hold_until=hold)


def limit_to_entries(verdict: PollVerdict, before: FeedState) -> PollVerdict:
    """The verdict on a document that a hub delivered: its entries count, but it is no answer of the feed's host.

    It may hold nothing but what is new (WebSub, 7), so it tells of no gap; validators and errors stay as they were.
    """
    after = verdict.state
    if verdict.outcome not in SOUND_OUTCOMES:
        kept = {name: getattr(after, name) for name in ("rejected", "letter_day", "letter_bytes")}
        return replace(verdict, state=replace(before, **kept), gap=None)
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


def _judge_document(feed: Feed, state: FeedState, answer: Answer, settings: Poll, now: float) -> PollVerdict:
    """The verdict on a body."""
    body = _hash_body(answer)
    if body == state.body:
        return PollVerdict("unchanged", replace(_with_validators(state, answer, now), message=""))
    if body == state.slow_body and _is_set_aside(state):
        return PollVerdict("bug", state)
    try:
        document = split_document(
            answer.body,
            answer.charset,
            redact_secrets(answer.url),
            language=feed.language,
            usual_codec=state.codec,
        )
        if not document.whole and not document.entries:
            raise Malformed("the document stops before its first entry")
    except UnknownFormat as error:
        return _judge_other_format(feed, state, answer, body, now) or _reject_document(
            feed, state, answer, error, body, now
        )
    except Rejected as error:
        return _reject_document(feed, state, answer, error, body, now)
    if document.guessed:
        state = replace(state, codec=document.codec)
    message = "; ".join(document.cuts.values())
    if len(document.entries) > settings.max_entries:
        message = f"{len(document.entries)} entries; only the first {settings.max_entries} are read"
        document = replace(document, entries=document.entries[: settings.max_entries])
        document.cuts["entries"] = message
    comparison = compare(document, state, feed.source or feed.id, now)
    gap = _find_gap(feed, state, comparison, document, now)
    after = replace(
        state, entries=tuple(comparison.entries), shared=tuple(comparison.shared), capped=state.capped + comparison.capped,
        message=message, gaps=state.gaps + bool(gap), last_gap=now if gap else state.last_gap,
    )  # fmt: skip
    after = schedule.record_arrival(after, comparison.new, now) if comparison.new else after
    items = tuple(
        _make_item(feed, answer, document, comparison, place, now)
        for place in reversed(range(len(comparison.changes)))
    )
    if not document.whole:
        message = "the document stops before its end; its whole entries were taken"
        cut = (*state.cut, *(change.uri for change in comparison.changes if change.version == 1))
        cuts = tuple(document.cuts)
        return PollVerdict(
            "truncated", replace(after, message=message, cut=cut), items, gap=gap, withheld=cuts
        )
    after = _with_validators(after, answer, now, items=comparison.new)
    after = _with_hints(replace(after, body=body, cut=()), document, answer, now)
    return PollVerdict("new" if items else "unchanged", after, items, gap=gap, withheld=tuple(document.cuts))


def _judge_other_format(
    feed: Feed, state: FeedState, answer: Answer, body: int, now: float
) -> PollVerdict | None:
    """The verdict on a document of another wire format (NewsML, NITF, ninjs …), handed on whole; None for none."""
    from processors.normalise import normalise

    item = _envelope(feed, answer, now, answer.body, "new")
    try:
        events = normalise(item, Normalise(languages=("en",)))
    except Rejected:
        return None
    if all(isinstance(event, Rejected) for event in events):
        return None
    after = _with_validators(
        schedule.record_arrival(replace(state, message=""), 1, now), answer, now, items=1
    )
    return PollVerdict("new", replace(after, body=body), (item,))


def _reject_document(
    feed: Feed, state: FeedState, answer: Answer, error: Rejected, body: int, now: float
) -> PollVerdict:
    """A document that can't be read goes to the dead letters, each body once."""
    outcome = OUTCOME_OF.get(type(error), "malformed")
    after = replace(state, message=str(error))
    if not answer.conditional:
        after = replace(after, unconditional=now)
    if body in state.rejected:
        return PollVerdict(outcome, after)
    after = replace(after, rejected=(*state.rejected, body)[-MAX_REJECTED_BODIES:])
    item = _envelope(feed, answer, now, answer.body, outcome)
    return PollVerdict(outcome, after, rejected=(item, error))


def _make_item(
    feed: Feed, answer: Answer, document: FeedDocument, comparison: Comparison, place: int, now: float
) -> RawItem:
    change = comparison.changes[place]
    item = _envelope(feed, answer, now, document.with_entry(change.entry), "new")
    charset = (
        document.codec if document.guessed else item.charset
    )  # the whole document tells more than one entry
    return structs.replace(item, uri=change.uri, version=str(change.version), charset=charset)


@lru_cache(64)
def _shown_url(url: str) -> str:
    """The URL as items carry it: that of all entries of a document is one."""
    return redact_secrets(url)


def _envelope(feed: Feed, answer: Answer, now: float, payload: bytes, outcome: PollOutcome) -> RawItem:
    return RawItem(
        payload=payload, received=to_timestamp(int(now * 1000)), feed=feed.id, url=_shown_url(answer.url),
        media_type=answer.media_type, charset=answer.charset, language=feed.language, source=feed.source,
        timezone=feed.timezone, outcome=outcome,
    )  # fmt: skip


def _find_gap(
    feed: Feed, state: FeedState, comparison: Comparison, document: FeedDocument, now: float
) -> CoverageGap | None:
    """A whole document that shares nothing with the last whole one. What is missing in a cut one may follow in it."""
    if comparison.overlap or not document.entries or not document.whole:
        return None
    if all(entry.uri in state.cut for entry in state.entries):
        return None
    since = state.last_success or state.polled
    return CoverageGap(feed.id, to_timestamp(int(since * 1000)), to_timestamp(int(now * 1000)))


def _with_validators(
    state: FeedState, answer: Answer, now: float, whole: bool = True, items: int = 0
) -> FeedState:
    """The state with the validators exactly as sent. A 304 changes only those that it names."""
    state = schedule.count_new_items(state, items, now)
    etag, modified = _header_validator(answer, "ETag"), _header_validator(answer, "Last-Modified")
    if not whole:
        etag, modified = etag or state.etag, modified or state.last_modified
    state = schedule.set_freshness(state, schedule.freshness(answer.headers, now), now)
    return replace(
        state, etag=etag, last_modified=modified, validated_url=hash_url(answer.url) if etag or modified else "",
        last_success=now,
        unconditional=state.unconditional if answer.conditional else now,
    )  # fmt: skip


def _header_validator(answer: Answer, name: str) -> str:
    value = answer.headers.get(name, "")
    try:
        value.encode()
    except UnicodeEncodeError:
        return ""
    return value if len(value) <= MAX_VALIDATOR_CHARS else ""


def _with_hints(state: FeedState, document: FeedDocument, answer: Answer, now: float) -> FeedState:
    """The state with what the document says of its rhythm; what HTTP says of freshness goes first."""
    linked = answer.links.get("hub", ""), answer.links.get("self", "")
    if document.json:
        return _with_hub(state, *linked)
    hints = schedule.read_hints(document.hints or document.head, document.codec)
    if hints.freshness and schedule.freshness(answer.headers, now) is None:
        state = schedule.set_freshness(state, hints.freshness, now)
    state = replace(state, skip_hours=hints.skip_hours, skip_days=hints.skip_days)
    return _with_hub(state, linked[0] or hints.hub, linked[1] or hints.topic)


def _with_hub(state: FeedState, hub: str, topic: str) -> FeedState:
    """The state with the hub that a feed names; none where the secret of a private feed would go there and be kept."""
    if holds_secret(hub) or holds_secret(topic):
        hub = topic = ""
    return replace(state, hub=hub, topic=topic)


def _count_outcome(state: FeedState, outcome: PollOutcome, now: float) -> FeedState:
    if outcome in SOUND_OUTCOMES:
        return replace(state, last_success=now, since=state.since or now)
    return replace(state, errors={**state.errors, outcome: state.errors.get(outcome, 0) + 1})


def _with_move(state: FeedState, answer: Answer, settings: Poll, now: float) -> FeedState:
    """A permanent redirect moves the feed once it has been seen for ``move_after_s``; any other answer forgets it.

    An address with what may be a secret is not remembered: the redirect there is followed at each poll.
    """
    if answer.failure or answer.status not in {*DOCUMENT_STATUSES, 304}:
        return state
    if state.url and redact_secrets(state.url) != state.url:  # an earlier version kept such addresses
        state = replace(state, url="")
    if not answer.moved or answer.moved != answer.url:
        return replace(state, moved_to="", moved_since=0.0) if state.moved_to else state
    shown = redact_secrets(answer.moved)
    if state.moved_to != shown:
        return replace(state, moved_to=shown, moved_since=now)
    if shown != answer.moved or now - state.moved_since < settings.move_after_s:
        return state
    return replace(state, url=answer.moved, moved_to="", moved_since=0.0)
