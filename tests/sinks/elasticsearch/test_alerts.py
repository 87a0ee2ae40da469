"""Saved searches and alerts in Elasticsearch: what SQLite does in one transaction comes out alike without one."""

from __future__ import annotations

from dataclasses import replace as replace_fields

import pytest
from msgspec.structs import replace

from processors.errors import Transient
from processors.model.event import Event
from sinks.alerts.decisions import AlertLimits
from sinks.alerts.matching import SearchMatcher
from sinks.alerts.messages import plan_messages
from sinks.alerts.ports import TooManySearches
from sinks.alerts.saved import AlertRule, AlertTarget, SavedSearch
from sinks.elasticsearch.alert_sink import AlertSink
from sinks.elasticsearch.alerts import LEASE_MS, ElasticAlerts
from sinks.search import BadCursor
from sinks.stories import now_ms
from tests.sinks.alerts.test_decisions import CORRECTION, FERRY, KILL
from tests.sinks.elasticsearch.conftest import Stack
from tests.sinks.events import event

HOOK = AlertTarget("webhook", "https://hooks.example/")


def search(query: str = "ferry", name: str = "s", **rule: object) -> SavedSearch:
    return SavedSearch(name, name, query, alert=AlertRule((HOOK,), **rule))  # type: ignore[arg-type]


class Office:
    """The store with its searches, and what comes in and goes out."""

    def __init__(self, stack: Stack, limits: AlertLimits | None = None) -> None:
        self.store = ElasticAlerts(stack.settings, stack.client)
        self.limits = limits or AlertLimits()

    async def save(self, *searches: SavedSearch) -> None:
        for one in searches:
            await self.store.save_search(one, 100)

    async def get(self, *events: Event) -> None:
        matcher = SearchMatcher(await self.store.searches())
        await self.store.apply([(one, matcher.match(one)) for one in events], self.limits, now_ms())

    async def deliver(self) -> None:
        for due in await self.store.due_alerts(now_ms()):
            await self.store.write_messages(
                due, plan_messages(due.alerts, sum(due.counted.values()), now_ms())
            )
        for message in await self.store.open_messages(100):
            await self.store.save_message(replace(message, state="sent"))

    async def kinds(self) -> list[str]:
        messages = await self.store.messages("s", 100)
        return [message.kind for message in reversed(messages)]


async def test_searches_are_kept_changed_and_deleted(stack: Stack) -> None:
    office = Office(stack)
    assert (await office.store.searches(), await office.store.change_count()) == ([], 0)
    await office.save(search(name="b"), search(name="a"))
    before = await office.store.change_count()
    assert [one.name for one in await office.store.searches()] == ["a", "b"]
    with pytest.raises(TooManySearches, match=r"alerts\.max_searches"):
        await office.store.save_search(search(name="c"), 2)
    await office.store.save_search(replace(search(name="a"), query="boat"), 2)
    assert (await office.store.search("a")).query == "boat"  # type: ignore[union-attr]
    assert await office.store.delete_search("b")
    assert not await office.store.delete_search("b")
    assert await office.store.change_count() > before
    assert [one.name for one in await office.store.searches()] == ["a"]


async def test_a_story_its_correction_and_its_kill_go_out_once_each(stack: Stack) -> None:
    office = Office(stack)
    await office.save(search(), search("copper", "other"))
    for came in (FERRY, CORRECTION, replace(KILL, lineage=replace(KILL.lineage, sequence=3))):  # type: ignore[type-var]
        await office.get(came)
        await office.deliver()
        await office.get(came)  # as after a crash before the offset was committed
        await office.deliver()
    assert await office.kinds() == ["story", "correction", "kill"]
    page = await office.store.alerts("s", None, 2, now_ms())
    assert [alert.kind for alert in page.alerts] == ["kill", "correction"]
    rest = await office.store.alerts(None, page.after, 2, now_ms())
    assert [(alert.kind, alert.withdrawn) for alert in rest.alerts] == [("story", "killed")]
    assert rest.after is None
    [message] = await office.store.messages_of(rest.alerts[0].id)
    assert [alert.uri for alert in await office.store.alerts_of(message)] == ["urn:ferry"]
    with pytest.raises(BadCursor):
        await office.store.alerts(None, "x", 2, now_ms())


async def test_a_story_and_its_kill_in_one_batch_tell_nothing(stack: Stack) -> None:
    office = Office(stack)
    await office.save(search())
    await office.get(FERRY, KILL)
    await office.deliver()
    assert await office.kinds() == []


async def test_a_crash_between_message_and_alert_makes_no_other_message(stack: Stack) -> None:
    office = Office(stack, AlertLimits(1, 5))
    await office.save(search("", rhythm="hour"))
    await office.get(event("urn:a"), event("urn:b"))
    later = now_ms() + 3_600_000
    [due] = await office.store.due_alerts(later)
    messages = plan_messages(due.alerts, 0, later)
    await office.store.write_messages(replace_fields(due, alerts=()), messages)  # killed here
    await office.get(event("urn:c"))
    [rest] = await office.store.due_alerts(later)
    assert [alert.uri for alert in rest.alerts] == ["urn:c"]
    await office.store.write_messages(rest, plan_messages(rest.alerts, 0, later))
    assert await office.store.due_alerts(later) == []
    assert [len(message.alerts) for message in await office.store.open_messages(10)] == [2, 1]


async def test_what_is_over_the_limit_is_counted_over_batches(stack: Stack) -> None:
    office = Office(stack, AlertLimits(2, 1))
    await office.save(search(""))
    for n in range(3):
        await office.get(*(event(f"urn:{n}-{m}") for m in range(3)))
    later = now_ms() + 3_600_000
    [due] = await office.store.due_alerts(later)
    assert (len(due.alerts), sum(due.counted.values())) == (3, 6)
    await office.store.write_messages(due, plan_messages(due.alerts, 6, later))
    assert await office.store.due_alerts(later) == []
    assert [(message.kind, message.more) for message in await office.store.open_messages(10)] == [
        ("story", 0), ("story", 0), ("digest", 6),
    ]  # fmt: skip


async def test_a_deleted_search_leaves_nothing_behind(stack: Stack) -> None:
    office = Office(stack)
    await office.save(search())
    await office.get(FERRY)
    [due] = await office.store.due_alerts(now_ms())
    await office.store.write_messages(due, plan_messages(due.alerts, 0, now_ms()))
    [message] = await office.store.open_messages(10)
    await office.store.delete_search("s")
    await office.store.save_message(replace(message, state="sent"))
    assert [one.state for one in await office.store.messages("s", 10)] == ["dropped"]
    assert (await office.store.alerts(None, None, 10, now_ms())).alerts == []
    await office.store.prune(now_ms() + 1)
    assert await office.store.messages("s", 10) == []


async def test_only_one_process_of_a_fleet_sends(stack: Stack) -> None:
    first, second = ElasticAlerts(stack.settings, stack.client), ElasticAlerts(stack.settings, stack.client)
    now = now_ms()
    assert await first.hold_lease("one", now)
    assert not await second.hold_lease("two", now + 1)
    assert await first.hold_lease("one", now + LEASE_MS - 1)
    assert not await second.hold_lease("two", now + LEASE_MS)
    assert await second.hold_lease("two", now + 2 * LEASE_MS)
    assert not await first.hold_lease("one", now + 2 * LEASE_MS)
    assert await first.hold_lease("one", now - 10 * LEASE_MS), "the clock was set back"


async def test_the_sink_takes_a_changed_search_with_the_next_events(stack: Stack) -> None:
    office = Office(stack)
    sink = AlertSink(office.store, AlertLimits())
    await sink.open(None)
    await sink.write([FERRY])
    await office.save(search())
    assert (await sink.write([FERRY])).outcomes == [None]
    assert len((await office.store.alerts(None, None, 10, now_ms())).alerts) == 1


async def test_an_index_that_was_never_made_is_told(stack: Stack) -> None:
    settings = replace(stack.settings, index="nobody-made-this")
    store = ElasticAlerts(settings, stack.client)
    with pytest.raises(Transient, match="nobody-made-this-searches"):
        await store.change_count()
    with pytest.raises(Transient, match="wiredesk index create"):
        await store.search("x")
