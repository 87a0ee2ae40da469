"""What one feed may make of what it sends: heads that each entry copies, items an hour, dead letters a day."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import structs
from prometheus_client import REGISTRY

from config.settings import Normalise, Poll
from processors.errors import TooLarge
from processors.model.event import Event
from processors.normalise import normalise
from streams.pollers.budget import MAX_LETTER_BYTES
from streams.pollers.documents import MAX_HEAD_BYTES, split_document
from streams.pollers.feed import Feed
from streams.pollers.fetch import Answer
from streams.pollers.judge import PollVerdict, judge_answer
from streams.pollers.poller import count_poll
from streams.pollers.state import FeedState, pack_state, unpack_state

FEED = Feed("hill", "https://wire.example/feed")
NOW = 1_769_097_600.0  # on the hour
RSS = (
    '<?xml version="1.0"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xml:lang="fr"><channel>'
    "<title>Hill</title><link>https://wire.example/</link><language>en</language>{head}"
    "<image><title>Logo</title><link>https://logo.example/</link></image><copyright>Hill Wire</copyright>{items}</channel></rss>"
)
ITEM = "<item><guid>urn:x:{}</guid><title>Ferry {} sinks</title><link>/a{}</link><dc:creator>Ada Quill</dc:creator></item>"


def items(count: int) -> str:
    return "".join(ITEM.replace("{}", str(number)) for number in range(count))


def judge(body: str, state: FeedState | None = None, now: float = NOW, **settings: int) -> PollVerdict:
    answer = Answer(FEED.url, 200, {}, body.encode())
    return judge_answer(FEED, state or FeedState(), answer, structs.replace(Poll(), **settings), now, 0.5)


@pytest.mark.parametrize("head", ["<description>{}</description>", "<!-- {} -->", "<a {}/>", "<p>{}"])
def test_a_long_head_is_not_copied_into_each_entry(head: str) -> None:
    body = RSS.format(head=head.format("Port news " * 80_000), items=items(2000))
    verdict = judge(body)
    assert len(verdict.items) == 2000
    assert sum(len(item.payload) for item in verdict.items) < 5 * len(body)
    assert verdict.withheld == ("head",)
    assert "head of 800," in verdict.state.message


def test_an_entry_says_the_same_under_a_cut_head() -> None:
    short, long = (
        judge(RSS.format(head=f"<description>{'Port news ' * count}</description>", items=items(3)))
        for count in (1, 80_000)
    )
    for one, other in zip(short.items, long.items, strict=True):
        (event,), (cut) = normalise(one, Normalise()), normalise(other, Normalise())
        assert isinstance(event, Event)
        assert cut == [event]
        assert event.story.language == "en"
        assert event.story.copyright_notice == "Hill Wire"


def test_entities_and_rights_of_atom_stay_under_a_cut_head() -> None:
    body = (
        '<!DOCTYPE feed [<!ENTITY hill "Hill Wire">]><feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://wire.example/">'
        f"<subtitle>{'Port news ' * 3000}</subtitle><rights>&hill;</rights><author><name>Ada Quill</name></author>"
        '<entry><id>urn:x:1</id><title>&hill; sails</title><link href="a"/></entry></feed>'
    )
    (event,) = normalise(judge(body).items[0], Normalise())
    assert isinstance(event, Event)
    assert (event.headline, event.story.copyright_notice, event.story.by) == (
        "Hill Wire sails",
        "Hill Wire",
        "Ada Quill",
    )
    assert {alt.value for alt in event.story.alt_ids} >= {"https://wire.example/a"}


@pytest.mark.parametrize(("count", "refused"), [(80, False), (2000, True)])
def test_what_entries_need_of_a_head_is_limited(count: int, refused: bool) -> None:
    names = "".join(f' xmlns:a{number}="https://wire.example/ns/{number}"' for number in range(250))
    body = RSS.format(head="", items=items(count)).replace(' version="2.0"', names)
    verdict = judge(body)
    assert (verdict.outcome == "too_large") is refused
    assert sum(len(item.payload) for item in verdict.items) < 8 * len(body) + (1 << 20)
    assert bool(verdict.rejected) is refused


def test_containers_in_containers_are_refused() -> None:
    verdict = judge(RSS.format(head="<rss>" * 10_000, items=items(2)))
    assert verdict.outcome == "too_large"
    assert verdict.rejected
    assert isinstance(verdict.rejected[1], TooLarge)


def test_a_json_feed_keeps_of_its_head_what_entries_need() -> None:
    entries = ",".join(f'{{"id":"{n}","title":"Ferry {n} sinks"}}' for n in range(1000))
    body = f'{{"version":"https://jsonfeed.org/version/1.1","title":"Hill","language":"en","description":"{"x" * 100_000}","items":[{entries}]}}'
    verdict = judge(body)
    assert len(verdict.items) == 1000
    assert sum(len(item.payload) for item in verdict.items) < 2 * len(body)
    (event,) = normalise(verdict.items[0], Normalise())
    assert isinstance(event, Event)
    assert event.story.language == "en"


@pytest.mark.parametrize("depth", [20, 300, 1000])
def test_json_that_is_nested_deep_costs_one_member_and_no_feed(depth: int) -> None:
    nested = "[" * depth + "]" * depth
    body = f'{{"version":"https://jsonfeed.org/version/1.1","title":"T","x":{nested},"items":[{{"id":"1","title":"A ferry","x":{nested}}},{{"id":"2","title":"A boat"}}]}}'
    verdict = judge(body)
    assert [normalise(item, Normalise())[0].headline for item in verdict.items] == ["A boat", "A ferry"]  # type: ignore[union-attr]
    assert ("nesting" in verdict.withheld) is (depth > 20)


def test_a_short_head_is_copied_as_it_came() -> None:
    document = split_document(RSS.format(head="<generator>x</generator>", items=items(2)).encode())
    assert document.head.decode() == RSS.partition("{items}")[0].format(head="<generator>x</generator>")
    assert len(document.head) < MAX_HEAD_BYTES
    assert not document.cuts


def test_items_of_an_hour_are_limited_and_come_in_the_next() -> None:
    body = [RSS.format(head="", items=ITEM.replace("{}", f"{n}-{'x' * 400}")) for n in range(3)]
    limit = 2 * len(judge(body[0]).items[0].payload) + 100
    state = FeedState()
    for number in range(2):
        state = judge(body[number], state, max_feed_bytes_per_hour=limit).state
    over = judge(body[2], state, NOW + 600, max_feed_bytes_per_hour=limit)
    assert (over.outcome, over.items, over.withheld) == ("too_large", (), ("hour",))
    assert "max_feed_bytes_per_hour" in over.state.message
    assert over.state.next_poll >= NOW + 3600
    kept = unpack_state(pack_state(over.state))
    later = judge(body[2], kept, NOW + 3600, max_feed_bytes_per_hour=limit)
    assert len(later.items) == 1


def test_a_document_that_fits_into_no_hour_is_a_dead_letter() -> None:
    verdict = judge(RSS.format(head="", items=items(5)), max_feed_bytes_per_hour=100)
    assert (verdict.outcome, verdict.items) == ("too_large", ())
    assert verdict.rejected
    assert isinstance(verdict.rejected[1], TooLarge)


def test_a_dead_letter_keeps_the_beginning_of_a_long_document() -> None:
    page = "<html><title>Soon</title>" + "<p>Soon.</p>" * 100_000
    verdict = judge(page)
    assert verdict.rejected
    item, error = verdict.rejected
    assert item.payload == page.encode()[:MAX_LETTER_BYTES]
    assert f"of {len(page):,} bytes are kept" in str(error)
    assert verdict.withheld == ("letter_bytes",)


def test_dead_letters_of_a_day_are_limited_and_told() -> None:
    state, letters, messages = FeedState(), 0, []
    for number in range(6):
        verdict = judge(
            f"<html><p>Page {number}" + "x" * 980, state, NOW + 60 * number, max_letter_bytes_per_day=3000
        )
        state, letters = verdict.state, letters + bool(verdict.rejected)
        messages.append(state.message)
    assert letters == 3
    assert "no dead letter" in messages[-1]
    next_day = judge("<html><p>Another page", replace(state), NOW + 86_400, max_letter_bytes_per_day=3000)
    assert next_day.rejected


def test_what_was_withheld_is_counted() -> None:
    def count() -> float:
        return REGISTRY.get_sample_value("wire_poll_withheld_total", {"what": "head"}) or 0.0

    before = count()
    count_poll(judge(RSS.format(head=f"<description>{'x' * 50_000}</description>", items=items(2))), 0.1, 1)
    assert count() == before + 1
