"""Routes: which stories go to which topics, and why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from processors.model.event import Entity, Event, Place
from processors.times import to_milliseconds
from sinks.query import parse_query
from sinks.routes.router import ConditionKind, Router, RouteRule, _Facts, compile_words
from tests.sinks.events import at, backfilled, event, reports


def rule(name: str, *words: str, urgency: int | None = None, **conditions: str) -> RouteRule:
    """A rule; conditions by kind, each with one value."""
    values: dict[ConditionKind, frozenset[str]] = {
        kind: frozenset([value])  # type: ignore[misc]
        for kind, value in conditions.items()
    }
    return RouteRule(name, values, urgency, compile_words(words))


def placed(told: Event, country: str, watchlist: str) -> Event:
    entity = Entity("e9", "LOC", "Somewhere", place=Place("Somewhere", country), watchlists=(watchlist,))
    return replace(told, entities=(*(told.entities or ()), entity))


STORY = placed(
    event("urn:a", names=("Inés Okafor",), topics=("medtop:20000210",), language="pt-BR", feed="nda"),
    "NL",
    "ports",
)


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        (rule("r", topic="medtop:20000210"), True),
        (rule("r", topic="medtop:04000000"), True),
        (rule("r", topic="medtop:11000000"), False),
        (rule("r", language="pt"), True),
        (rule("r", language="pt-PT"), False),
        (rule("r", country="NL"), True),
        (rule("r", watchlist="ports"), True),
        (rule("r", entity="ines okafor"), True),
        (rule("r", feed="nda", relation="new"), True),
        (rule("r", feed="nda", relation="update"), False),
        (rule("r", "VELDHAVEN"), True),
        (rule("r", "came back"), True),
        (rule("r", "back came"), False),
        (rule("r", "veldh*"), True),
        (rule("r", "nothing", "ships"), True),
        (rule("r", "ships", feed="blue"), False),
        (rule("r", urgency=3), False),
    ],
)
def test_a_rule_fits_where_all_its_conditions_hold(wanted: RouteRule, fits: bool) -> None:
    router = Router([wanted])
    assert router.route(STORY).routes == (("r",) if fits else ())
    (match,) = router.explain(STORY)
    assert match.fits is fits
    assert match.reasons


def test_urgency_means_this_or_more_urgent() -> None:
    flash = replace(STORY, story=replace(STORY.story, urgency=1))
    assert Router([rule("r", urgency=2)]).route(flash).routes == ("r",)
    assert (
        Router([rule("r", urgency=1)]).route(replace(flash, story=replace(flash.story, urgency=2))).routes
        == ()
    )


def test_kills_and_corrections_follow_the_story_that_they_touch() -> None:
    router = Router([rule("ships", "ships"), rule("ferries", "ferries")])
    before = frozenset(router.route(STORY).routes)
    kill = event("urn:k", text="Kill.", relation="kill", chain="urn:a", of="urn:a", sequence=2)
    correction = event(
        "urn:c", text="Ferries came.", relation="correction", chain="urn:a", of="urn:a", sequence=2
    )
    assert router.route(kill, before).routes == ("ships",)
    assert router.route(correction, before).routes == ("ferries", "ships")


def test_repeats_go_nowhere() -> None:
    again = event("urn:b", relation="duplicate", chain="urn:a", of="urn:a")
    assert Router([rule("ships", "ships")]).route(again, frozenset(["ships"])).routes == ()


def test_old_news_goes_nowhere_but_what_it_kills_or_corrects_is_told() -> None:
    router = Router([rule("ships", "ships")])
    before = frozenset(["ships"])
    old = backfilled(event("urn:b"))
    correction = backfilled(event("urn:c", relation="correction", chain="urn:a", of="urn:a"))
    kill = backfilled(event("urn:d", relation="kill", chain="urn:a", of="urn:a"))
    assert router.route(old, before).routes == ()
    assert router.route(correction, before).routes == ("ships",)
    assert router.route(correction).routes == ()
    assert router.route(kill, before).routes == ("ships",)


def test_an_embargoed_story_is_held_until_its_time_but_a_kill_is_not() -> None:
    router = Router([rule("ships", "ships")])
    held = event("urn:a", status="withheld", embargo=at(60))
    assert router.route(held).held_until == to_milliseconds(at(60))
    kill = replace(held, lineage=replace(held.lineage, relation="kill"))  # type: ignore[type-var]
    assert router.route(kill, frozenset(["ships"])).held_until == 0


RULES = st.lists(
    st.builds(
        RouteRule,
        st.integers(0, 10**6).map(lambda n: f"r{n}"),
        st.dictionaries(
            st.sampled_from(["topic", "language", "feed", "country", "entity", "watchlist", "relation"]),
            st.frozensets(
                st.sampled_from(
                    [
                        "medtop:04000000",
                        "medtop:1",
                        "pt",
                        "en",
                        "nda",
                        "NL",
                        "ines okafor",
                        "ports",
                        "new",
                        "kill",
                    ]
                ),
                min_size=1,
            ),
            max_size=3,
        ),
        st.sampled_from([None, 1, 9]),
        st.lists(st.sampled_from(["ships", "came back", "veld*", "nothing"]), max_size=2).map(compile_words),
    ),
    max_size=20,
    unique_by=lambda each: each.name,
)


@given(RULES)
def test_filing_rules_away_never_changes_what_they_say(rules: list[RouteRule]) -> None:
    router = Router(rules)
    assert set(router.route(STORY).routes) == {match.route for match in router.explain(STORY) if match.fits}


def test_of_a_thousand_rules_only_the_few_that_may_fit_are_looked_at() -> None:
    rules = [rule(f"t{n}", topic=f"medtop:{n:08}", language="pt") for n in range(250)]
    rules += [rule(f"e{n}", entity=f"name {n}", relation="new") for n in range(250)]
    rules += [rule(f"f{n}", feed=f"feed{n}", country="NL") for n in range(250)]
    rules += [rule(f"w{n}", f"word{n}", f"other{n} phrase") for n in range(250)]
    rules += [rule("near", feed="nda", urgency=1), rule("fits", "came back", country="NL")]
    looked_at = Router(rules)._candidates(_Facts(STORY, words=True))
    assert {each.name for each in looked_at} == {"near", "fits"}
    assert Router(rules).route(STORY).routes == ("fits",)


@pytest.mark.parametrize(
    ("sources", "novelty", "fits"), [(2, 0.4, True), (3, 0.4, False), (2, 0.5, False), (0, 0.0, True)]
)
def test_a_rule_asks_for_sources_of_the_event_and_for_what_is_new(
    sources: int, novelty: float, fits: bool
) -> None:
    wanted = RouteRule("r", {"feed": frozenset(["sur"])}, min_sources=sources, min_novelty=novelty)
    second = reports()[1]
    assert Router([wanted]).route(second).routes == (("r",) if fits else ())
    [match] = Router([wanted]).explain(second)
    assert match.fits == fits
    if not fits:
        assert "wanted" in match.reasons[0]


def asking(name: str, text: str) -> RouteRule:
    """A rule with a query alone."""
    return RouteRule(name, {}, query=parse_query(text), query_text=text)


def test_a_rule_asks_by_the_query_language() -> None:
    router = Router(
        [asking("ports", "harbour OR ferry lang:en"), asking("copper", "copper"), asking("old", "-after:1h")]
    )
    assert router.route(event("urn:a")).routes == ("ports",)
    assert router.route(event("urn:b", created=at(-90))).routes == ("old", "ports"), (
        "ago counts from the reception"
    )
    by_route = {match.route: match for match in router.explain(event("urn:a"))}
    assert by_route["ports"].reasons == ("query harbour, lang:en",)
    assert by_route["copper"].reasons == ("not the query copper",)


def test_a_kill_goes_to_rules_whose_query_asks_for_kills() -> None:
    router = Router([asking("kills", "harbour is:kill"), asking("ports", "harbour")])
    kill = event("urn:kill", relation="kill", chain="urn:a", of="urn:a", sequence=2)
    assert router.route(kill).routes == ("kills",)
    assert router.route(kill, frozenset({"ports"})).routes == ("kills", "ports")
    assert router.route(event("urn:a")).routes == ("ports",)
