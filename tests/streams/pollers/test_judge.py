"""What answers mean: outcomes, validators, items, dead letters, gaps and moves, as pure functions."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest
from msgspec import structs
from multidict import CIMultiDict, CIMultiDictProxy

from config.settings import Poll
from processors.errors import NotAFeed
from streams.pollers.feed import Feed, PollOutcome
from streams.pollers.fetch import Answer, hash_url
from streams.pollers.judge import (
    PollVerdict,
    holds_new_document,
    judge_answer,
    judge_lost,
    judge_packed,
    pack_question,
    plan_request,
    unpack_verdict,
)
from streams.pollers.state import FeedState

FEED = Feed("f", "https://wire.example/rss", language="da", source="Invented", timezone="Europe/Copenhagen")
SETTINGS = Poll()
NOW = 1_770_000_000.0
DAY = 86400.0


def document(*numbers: int) -> bytes:
    items = "".join(
        f"<item><title>Story {n}</title><guid>tag:wire.example,2026:{n}</guid></item>" for n in numbers
    )
    return (
        f'<?xml version="1.0"?><rss version="2.0"><channel><title>T</title>{items}</channel></rss>'.encode()
    )


def answer(body: bytes = b"", status: int = 200, **changed: object) -> Answer:
    return replace(Answer(FEED.url, status, body=body), **changed)  # type: ignore[arg-type]


def read(state: FeedState, told: Answer, now: float = NOW) -> PollVerdict:
    return judge_answer(FEED, state, told, SETTINGS, now, 0.0)


def known(*numbers: int) -> FeedState:
    return read(
        FeedState(), answer(document(*numbers), headers={"ETag": '"1"', "Last-Modified": "odd (UTC)"})
    ).state


def test_each_new_entry_is_a_raw_item_with_its_envelope_oldest_first() -> None:
    verdict = read(FeedState(), answer(document(2, 1), media_type="application/rss+xml", charset="utf-8"))
    assert verdict.outcome == "new"
    assert [item.uri for item in verdict.items] == ["tag:wire.example,2026:1", "tag:wire.example,2026:2"]
    item = verdict.items[0]
    assert item.payload == document(1)
    assert (item.feed, item.url, item.version, item.received) == (
        "f",
        FEED.url,
        "1",
        "2026-02-02T02:40:00.000Z",
    )
    assert (item.media_type, item.charset, item.outcome) == ("application/rss+xml", "utf-8", "new")
    assert (item.language, item.source, item.timezone) == ("da", "Invented", "Europe/Copenhagen")


def test_a_revision_is_the_next_version() -> None:
    body = document(1, 2).replace(b"Story 2", b"Story 2, corrected")
    verdict = read(known(1, 2), answer(body))
    assert [(item.uri, item.version) for item in verdict.items] == [("tag:wire.example,2026:2", "2")]


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        (answer(document(1)), "unchanged"),
        (answer(document(1) + b" "), "unchanged"),
        (answer(document()), "unchanged"),
        (answer(document(1)[:-10]), "truncated"),
        (answer(document(1)[:90]), "malformed"),
        (answer(b""), "empty"),
        (answer(b"<html></html>"), "not_a_feed"),
        (answer(b"<invoice/>"), "not_a_feed"),
        (answer(b'{"items":'), "malformed"),
        (answer(status=304, conditional=True), "not_modified"),
        (answer(status=304), "bad_response"),
        (answer(status=204), "empty"),
        (answer(status=206), "bad_response"),
        (answer(status=404), "http_4xx"),
        (answer(status=410), "gone"),
        (answer(status=429), "throttled"),
        (answer(status=500), "http_5xx"),
        (answer(status=503), "http_5xx"),
        (answer(status=503, headers={"Retry-After": "60"}), "throttled"),
        (answer(failure="timeout"), "timeout"),
        (answer(failure="blocked_address"), "blocked_address"),
    ],
)
def test_each_answer_has_one_typed_outcome(told: Answer, outcome: PollOutcome) -> None:
    before = known(1)
    verdict = read(before, told, NOW + 600)
    assert verdict.outcome == verdict.state.outcome == outcome
    sound = outcome in {"unchanged", "not_modified"}
    assert verdict.state.failures == (0 if sound else 1)
    assert verdict.state.last_success == (NOW + 600 if sound else NOW)
    assert verdict.state.next_poll > NOW + 600
    assert verdict.items == ()
    assert {entry.uri for entry in verdict.state.entries} == {"tag:wire.example,2026:1"}


def test_validators_are_kept_and_sent_as_they_came() -> None:
    state = known(1)
    request = plan_request(FEED, state, SETTINGS, NOW + 600, {})
    assert (request.etag, request.last_modified, request.validated_url) == (
        '"1"',
        "odd (UTC)",
        hash_url(FEED.url),
    )


def test_a_304_may_bring_new_validators() -> None:
    state = read(known(1), answer(status=304, conditional=True, headers={"ETag": '"2"'})).state
    assert (state.etag, state.last_modified) == ('"2"', "odd (UTC)")


def test_an_unchanged_body_may_bring_new_validators() -> None:
    assert read(known(1), answer(document(1), headers={"ETag": '"3"'})).state.etag == '"3"'


def test_a_whole_document_without_validators_clears_them() -> None:
    assert read(known(1), answer(document(1, 2))).state.etag == ""


@pytest.mark.parametrize(
    "body", [document(1, 2, 3)[:-80], b"<html></html>", b""], ids=["cut", "page", "empty"]
)
def test_the_validators_of_what_is_not_whole_are_never_kept(body: bytes) -> None:
    assert read(known(1), answer(body, headers={"ETag": '"whole"'})).state.etag == '"1"'


def test_the_whole_entries_of_a_cut_document_are_taken() -> None:
    verdict = read(known(1), answer(document(1, 2, 3)[:-60]))
    assert [item.uri for item in verdict.items] == ["tag:wire.example,2026:2"]
    assert verdict.gap is None


def test_at_least_once_a_day_the_validators_stay_away() -> None:
    state = known(1)
    assert plan_request(FEED, state, SETTINGS, NOW + DAY - 1, {}).etag
    assert not plan_request(FEED, state, SETTINGS, NOW + DAY, {}).etag
    assert plan_request(FEED, state, SETTINGS, NOW + DAY, {}, resumed=True).etag, (
        "it may repeat one that was lost"
    )


def test_a_document_that_cant_be_read_is_a_dead_letter_once() -> None:
    first = read(known(1), answer(b"<html></html>"))
    assert first.rejected is not None
    item, error = first.rejected
    assert (item.payload, item.outcome, type(error)) == (b"<html></html>", "not_a_feed", NotAFeed)
    assert read(first.state, answer(b"<html></html>")).rejected is None
    assert read(first.state, answer(b"<html>other</html>")).rejected is not None


NINJS = b'{"uri":"urn:x:1","type":"text","headlines":[{"value":"The ferry runs"}],"bodies":[{"value":"It runs again."}]}'


def test_a_document_of_another_wire_format_is_one_raw_item_once() -> None:
    first = read(FeedState(), answer(NINJS, media_type="application/json"))
    assert [(item.payload, item.uri) for item in first.items] == [(NINJS, None)]
    assert read(first.state, answer(NINJS)).outcome == "unchanged"


def test_a_document_that_shares_nothing_with_the_last_is_a_gap() -> None:
    verdict = read(known(1, 2), answer(document(8, 9)), NOW + 600)
    assert verdict.gap is not None
    assert (verdict.gap.feed, verdict.gap.since, verdict.gap.at) == (
        "f",
        "2026-02-02T02:40:00.000Z",
        "2026-02-02T02:50:00.000Z",
    )
    assert verdict.state.gaps == 1


@pytest.mark.parametrize("body", [document(2, 3), document()], ids=["overlap", "empty feed"])
def test_other_documents_are_no_gap(body: bytes) -> None:
    assert read(known(1, 2), answer(body)).gap is None


def test_a_document_that_was_cut_hides_no_gap() -> None:
    """What it brought is known when the whole document comes; what went by before it is still missing."""
    cut = read(known(1, 2), answer(document(9, 8, 7)[:-60]), NOW + 60)
    assert (cut.outcome, cut.gap) == ("truncated", None)
    whole = read(cut.state, answer(document(9, 8, 7, 6)), NOW + 120)
    assert whole.gap is not None
    assert read(whole.state, answer(document(10, 9)), NOW + 180).gap is None


def test_a_cut_document_is_no_gap_where_the_whole_one_reaches_back() -> None:
    cut = read(known(1, 2), answer(document(4, 3, 2)[:-60]), NOW + 60)
    assert read(cut.state, answer(document(4, 3, 2)), NOW + 120).gap is None
    first = read(FeedState(), answer(document(4, 3, 2)[:-60]))
    assert read(first.state, answer(document(4, 3, 2)), NOW + 60).gap is None


def test_the_first_document_is_no_gap() -> None:
    assert read(FeedState(), answer(document(1))).gap is None


def test_too_many_entries_are_cut_and_told() -> None:
    verdict = judge_answer(
        FEED, FeedState(), answer(document(*range(9))), structs.replace(SETTINGS, max_entries=4), NOW, 0.0
    )
    assert len(verdict.items) == 4
    assert "9 entries" in verdict.state.message


@pytest.mark.parametrize(
    "headers", [{"Retry-After": "7200"}, {"Retry-After": "Mon, 02 Feb 2026 04:40:00 GMT"}]
)
def test_retry_after_holds_the_host_and_the_feed(headers: dict[str, str]) -> None:
    verdict = read(known(1), answer(status=429, headers=headers))
    assert verdict.hold_until == NOW + 7200
    assert verdict.state.next_poll >= NOW + 7200


def test_a_permanent_redirect_moves_the_feed_after_a_week() -> None:
    moved = "https://new.example/rss"
    told = answer(document(1), url=moved, moved=moved)
    state = read(known(1), told).state
    assert plan_request(FEED, state, SETTINGS, NOW, {}).url == FEED.url
    state = read(state, told, NOW + 6 * DAY).state
    assert plan_request(FEED, state, SETTINGS, NOW, {}).url == FEED.url
    state = read(state, told, NOW + 7 * DAY).state
    assert plan_request(FEED, state, SETTINGS, NOW, {}).url == moved


def test_an_answer_without_a_redirect_forgets_the_move() -> None:
    moved = "https://new.example/rss"
    state = read(known(1), answer(document(1), url=moved, moved=moved)).state
    assert read(state, answer(document(1))).state.moved_since == 0.0
    assert read(state, answer(status=500)).state.moved_since == NOW


def test_credentials_come_from_the_environment() -> None:
    basic = replace(FEED, basic_auth_env="WIRE_LOGIN", proxy_env="WIRE_PROXY")
    told = plan_request(
        basic,
        FeedState(),
        SETTINGS,
        NOW,
        {"WIRE_LOGIN": "desk:s3cret", "WIRE_PROXY": "http://proxy.example:3128"},
    )
    assert (told.authorization, told.proxy) == ("Basic ZGVzazpzM2NyZXQ=", "http://proxy.example:3128")
    bearer = replace(FEED, bearer_token_env="WIRE_TOKEN")
    assert (
        plan_request(bearer, FeedState(), SETTINGS, NOW, {"WIRE_TOKEN": "abc"}).authorization == "Bearer abc"
    )
    assert plan_request(bearer, FeedState(), SETTINGS, NOW, {}).authorization == ""


def test_secrets_in_the_url_do_not_travel_with_items() -> None:
    verdict = read(
        FeedState(), answer(document(1), url="https://desk:s3cret@wire.example/rss?api_key=abc&x=1")
    )
    assert verdict.items[0].url == "https://wire.example/rss?api_key=REDACTED&x=REDACTED"


def test_a_codec_that_was_guessed_from_the_document_goes_with_each_entry() -> None:
    body = (
        "<rss><channel><item><title>Fähre über den Sund, ausführlich erklärt</title></item></channel></rss>"
    )
    assert read(FeedState(), answer(body.encode("latin-1"))).items[0].charset == "cp1252"


@pytest.mark.parametrize(
    "body", [document(3, 2, 1), b"<html><body>no feed</body></html>", b"", document(1)[:-20]]
)
def test_a_verdict_of_a_child_is_that_of_this_process(body: bytes) -> None:
    told = answer(body, headers=CIMultiDictProxy(CIMultiDict({"ETag": '"2"'})))
    question = pickle.loads(pickle.dumps(pack_question(FEED, known(1), told, SETTINGS, NOW + 60, 0.5)))  # noqa: S301
    (packed,) = pickle.loads(pickle.dumps(judge_packed([question])))  # noqa: S301
    verdict, here = unpack_verdict(packed), judge_answer(FEED, known(1), told, SETTINGS, NOW + 60, 0.5)
    assert verdict.state == here.state
    assert (verdict.outcome, verdict.items, verdict.gap) == (here.outcome, here.items, here.gap)
    assert str(verdict.rejected) == str(here.rejected)


@pytest.mark.parametrize(
    ("told", "new"),
    [
        (answer(document(1)), False),
        (answer(document(2)), True),
        (answer(document(2), status=404), False),
        (answer(document(2), failure="timeout"), False),
        (answer(b"", status=304, conditional=True), False),
    ],
)
def test_only_documents_that_are_new_take_a_time_of_their_own(told: Answer, new: bool) -> None:
    assert holds_new_document(known(1), told) == new


def test_a_document_over_which_children_are_lost_is_set_aside_at_the_third_and_read_no_more() -> None:
    state, told = known(1), answer(document(2, 1))
    letters = []
    for number in range(3):
        assert holds_new_document(state, told)
        verdict = judge_lost(FEED, state, told, SETTINGS, NOW + number, 0.0, reason="not done after 30 s")
        assert verdict.outcome == "bug"
        assert "not done after 30 s" in verdict.state.message
        assert verdict.state.next_poll >= NOW + number + SETTINGS.min_interval_s
        letters.append(verdict.rejected)
        state = verdict.state
    assert letters[:2] == [None, None]
    item, error = letters[2] or pytest.fail("it goes to the dead letters")
    assert (item.payload, error.type) == (told.body, "Bug")
    assert not holds_new_document(state, told)
    assert read(state, told, NOW + 9).outcome == "bug"
    assert holds_new_document(state, answer(document(3, 1))), "another body has a chance of its own"
    assert read(state, answer(document(3, 1)), NOW + 9).outcome == "new"


def test_a_document_that_is_slow_once_is_read_again() -> None:
    told = answer(document(2, 1))
    slow = judge_lost(FEED, known(1), told, SETTINGS, NOW, 0.0, reason="the machine slept").state
    assert read(slow, told, NOW + 60).outcome == "new"
