"""What is remembered of routed chains: kills find every route, embargoes hold, corrections wait with their story."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from processors.model.codec import decode, encode
from processors.model.event import Event
from processors.times import to_milliseconds
from sinks.routes.chains import REFRESH_MS, Chain, ChainDecision, decide_event, release_held
from sinks.routes.router import Router, RouteRule, compile_words
from sinks.stories import FOR_EVER_MS
from tests.sinks.events import at, event

NOON = to_milliseconds(at(0))
ROUTER = Router(
    [
        RouteRule("ships", {}, None, compile_words(["ships"])),
        RouteRule("ferries", {}, None, compile_words(["ferries"])),
        RouteRule("kills", {"relation": frozenset(["kill"])}),
    ]
)


def minutes(number: float) -> int:
    return to_milliseconds(at(number))


def told(each: Event, known: Chain | None = None, now: float = 0) -> ChainDecision:
    return decide_event(ROUTER, each, minutes(now), "", known, minutes(now))


def went(decision: ChainDecision) -> list[tuple[str, ...]]:
    return [delivery.routes for delivery in decision.deliveries]


EMBARGOED = event("urn:a", text="Ships will come.", status="withheld", embargo=at(60))
KILL = event("urn:k", text="Kill.", relation="kill", chain="urn:a", of="urn:a", sequence=2)


def test_a_story_goes_to_its_routes_and_leaves_their_names_behind() -> None:
    decision = told(event("urn:a", text="Ships and ferries."))
    assert went(decision) == [("ferries", "ships")]
    assert decision.chain == Chain(NOON, ("ferries", "ships"))


def test_a_story_that_no_rule_wants_leaves_nothing_behind() -> None:
    assert told(event("urn:a", text="Weather.")) == ChainDecision(None)


def test_a_kill_goes_wherever_any_member_of_its_chain_went_and_to_rules_that_ask_for_kills() -> None:
    chain = told(event("urn:a", text="Ships.")).chain
    update = event("urn:b", text="Ferries.", relation="update", chain="urn:a", of="urn:a", sequence=2)
    decision = told(replace(KILL, lineage=replace(KILL.lineage, sequence=3)), told(update, chain).chain)  # type: ignore[type-var]
    assert went(decision) == [("ferries", "kills", "ships")]
    assert decision.deliveries[0].kill
    assert went(told(KILL)) == [("kills",)]


def test_a_story_sent_again_as_cancelled_is_a_kill() -> None:
    chain = told(event("urn:a", text="Ships.")).chain
    (delivery,) = told(event("urn:a", text="", status="canceled", relation="update"), chain).deliveries
    assert (delivery.routes, delivery.kill) == (("ships",), True)


def test_an_embargoed_story_waits_for_its_time_and_is_usable_then() -> None:
    held = told(EMBARGOED)
    assert held.deliveries == ()
    assert held.chain is not None
    assert held.chain.due == minutes(60)
    assert release_held(held.chain, minutes(59.9)) == ChainDecision(held.chain)
    out = release_held(held.chain, minutes(60))
    assert went(out) == [("ships",)]
    assert decode(out.deliveries[0].event, Event).story.pub_status == "usable"
    assert out.chain == Chain(NOON, ("ships",))


def test_an_embargo_that_has_passed_when_the_story_comes_holds_nothing() -> None:
    assert went(told(EMBARGOED, now=61)) == [("ships",)]


def test_a_killed_story_that_waited_never_goes_out_nor_does_its_kill() -> None:
    decision = told(KILL, told(EMBARGOED).chain)
    assert went(decision) == [("kills",)]
    assert decision.chain == Chain(NOON, ("kills",))


def test_a_correction_waits_with_the_story_that_it_corrects_though_it_tells_no_embargo() -> None:
    correction = event(
        "urn:c", text="Ferries will come.", relation="correction", chain="urn:a", of="urn:a", sequence=2
    )
    held = told(correction, told(EMBARGOED).chain)
    assert held.deliveries == ()
    assert held.chain is not None
    out = release_held(held.chain, minutes(60))
    assert went(out) == [("ships",), ("ferries", "ships")], "in their order"


def test_a_correction_waits_even_where_no_rule_wanted_its_story() -> None:
    unwanted = event("urn:a", text="Weather.", status="withheld", embargo=at(60))
    correction = event("urn:c", text="Ferries.", relation="correction", chain="urn:a", of="urn:a", sequence=2)
    held = told(correction, told(unwanted).chain)
    assert held.deliveries == ()
    assert held.chain is not None
    assert went(release_held(held.chain, minutes(60))) == [("ferries",)]


def test_a_version_without_embargo_takes_the_place_of_the_one_that_waits() -> None:
    lifted = event("urn:a", text="Ships come.", relation="update", of="urn:a", version="2", sequence=2)
    decision = told(lifted, told(EMBARGOED).chain)
    assert went(decision) == [("ships",)]
    assert decision.chain == Chain(NOON, ("ships",))


@pytest.mark.parametrize(("moved", "before"), [(30, 29.9), (90, 89.9)])
def test_an_embargo_that_is_moved_ends_when_the_latest_version_says(moved: float, before: float) -> None:
    second = event(
        "urn:a", text="Ships.", status="withheld", embargo=at(moved), relation="update", of="urn:a",
        version="2", sequence=2,
    )  # fmt: skip
    chain = told(second, told(EMBARGOED).chain, now=5).chain
    assert chain is not None
    assert chain.due == minutes(moved)
    assert release_held(chain, minutes(before)).deliveries == ()
    out = release_held(chain, minutes(moved))
    assert [decode(each.event, Event).story.version for each in out.deliveries] == ["2"], (
        "the first never goes out"
    )


def test_an_embargo_that_is_moved_into_the_past_ends_at_once() -> None:
    second = event(
        "urn:a", text="Ships.", status="withheld", embargo=at(4), relation="update", of="urn:a", version="2",
        sequence=2,
    )  # fmt: skip
    decision = told(second, told(EMBARGOED).chain, now=5)
    assert went(decision) == [("ships",)]
    assert decision.chain == Chain(minutes(5), ("ships",))


def test_an_embargo_that_loses_its_end_holds_the_story_for_good() -> None:
    second = event(
        "urn:a", text="Ships.", status="withheld", relation="update", of="urn:a", version="2", sequence=2
    )
    chain = told(second, told(EMBARGOED).chain, now=5).chain
    assert chain is not None
    assert chain.due is None
    assert release_held(chain, minutes(61)).deliveries == ()


def test_an_older_version_that_comes_late_does_not_replace_the_one_that_waits() -> None:
    second = replace(EMBARGOED, story=replace(EMBARGOED.story, version="2"))
    first = replace(EMBARGOED, story=replace(EMBARGOED.story, version="1"), text="Ships, first version.")
    chain = told(second).chain
    assert told(first, chain).chain is chain


def test_a_withheld_story_without_a_time_never_goes_out_and_is_not_kept() -> None:
    chain = told(event("urn:a", text="Ships.", status="withheld")).chain
    assert chain is not None
    assert chain.due is None
    assert [(each.until, each.event) for each in chain.held] == [(FOR_EVER_MS, b"")]


def test_repeats_change_nothing() -> None:
    chain = told(event("urn:a", text="Ships.")).chain
    again = event("urn:b", text="Ships.", relation="duplicate", chain="urn:a", of="urn:a")
    assert told(again, chain) == ChainDecision(chain)
    assert told(event("urn:a", text="Ships."), chain).chain is chain, "nothing to be written"


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["new", "update", "correction", "kill", "duplicate"]),
        st.sampled_from(["urn:a", "urn:b"]),
        st.sampled_from(["Ships.", "Ferries.", "Weather."]),
        st.sampled_from([None, 5, 50]),
    ),
    max_size=12,
)


@given(STEPS)
def test_nothing_goes_out_before_its_embargo_and_every_kill_reaches_whoever_has_the_story(
    steps: list[tuple[str, str, str, int | None]],
) -> None:
    chain: Chain | None = None
    have: set[str] = set()
    for number, (relation, uri, text, embargo) in enumerate(steps):
        each = event(
            uri, text=text, relation=relation, chain="urn:a", of="urn:a" if number else None,  # type: ignore[arg-type]
            sequence=number + 1, minute=number, embargo=at(embargo) if embargo else None,
            status="withheld" if embargo else "usable",
        )  # fmt: skip
        decisions = [release_held(chain, minutes(number))] if chain else []
        chain = decisions[0].chain if decisions else chain
        decisions.append(told(each, chain, number))
        chain = decisions[-1].chain
        for delivery in (each for decision in decisions for each in decision.deliveries):
            out = decode(delivery.event, Event)
            until = out.story.embargoed_until
            assert delivery.kill or until is None or to_milliseconds(until) <= minutes(number)
            assert not delivery.kill or set(delivery.routes) >= have
            have |= set(delivery.routes)
        assert set(chain.routes if chain else ()) >= have


@pytest.mark.parametrize("chain", [told(EMBARGOED).chain, Chain(5, ("a",))])
def test_what_is_remembered_survives_json(chain: Chain) -> None:
    assert decode(encode(chain), Chain) == chain


@pytest.mark.parametrize(("later_ms", "is_written"), [(REFRESH_MS - 1, False), (REFRESH_MS, True)])
def test_a_chain_that_goes_on_is_written_once_an_hour(later_ms: int, is_written: bool) -> None:
    chain = Chain(NOON, ("ships",))
    again = event("urn:b", text="Ships.", relation="update", chain="urn:a", of="urn:a", sequence=2)
    after = decide_event(ROUTER, again, NOON + later_ms, "", chain, NOON + later_ms).chain
    assert (after is not chain) == is_written
    assert after == (Chain(NOON + later_ms, ("ships",)) if is_written else chain)
