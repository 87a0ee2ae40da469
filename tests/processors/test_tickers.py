"""Ticker symbols: of companies, not of whatever else has their name."""

from __future__ import annotations

import pytest

from processors.model.event import Entity, Event, Mention, Topic
from processors.model.story import Organisation, Story, Symbol
from processors.tag.ninjs_members import fill_story
from processors.tickers import CATALOG, find_symbols

ECONOMY, SPORT = Topic("medtop:20000385", "", 0.9), Topic("medtop:15000000", "", 0.9)


@pytest.mark.parametrize(
    ("names", "symbol"),
    [
        (["Deutsche Telekom"], Symbol(exchange="XETR", symbol="DTE")),
        (["Apple Inc."], Symbol(exchange="XNAS", symbol="AAPL")),
        (["Apple"], Symbol(exchange="XNAS", symbol="AAPL")),
        (["Airbus SE"], Symbol(exchange="XPAR", symbol="AIR")),
        (["the carmaker", "Toyota"], Symbol(exchange="XTKS", symbol="7203")),
    ],
)
def test_a_company_has_the_ticker_of_its_home_market(names: list[str], symbol: Symbol) -> None:
    assert find_symbols(names, of_business=True) == (symbol,)


def test_a_word_alone_is_no_company_where_the_story_is_about_something_else() -> None:
    assert find_symbols(["Target"], of_business=False) == ()
    assert find_symbols(["Sandoval Mining"], of_business=True) == ()


@pytest.mark.parametrize(("topic", "count"), [(ECONOMY, 1), (SPORT, 0)])
def test_organisations_of_a_story_carry_their_symbols(topic: Topic, count: int) -> None:
    event = Event(
        Story("urn:x:1"),
        "",
        "Siemens won.",
        mentions=(Mention(0, 7, "Siemens", "ORG", "e1"),),
        entities=(Entity("e1", "ORG", "Siemens"),),
        topics=(topic,),
    )
    (organisation,) = fill_story(event).organisations
    assert organisation == Organisation("Siemens", symbols=(Symbol(exchange="XETR", symbol="SIE"),) * count)


def test_every_line_of_the_table_has_a_market_and_no_name_stands_twice() -> None:
    lines = [line for line in CATALOG.read_text("utf-8").splitlines() if not line.startswith("#")]
    names = [name for line in lines for name in line.split("\t")[0].split("|")]
    assert len(names) == len(set(names)) > 1_000
    assert all(line.split("\t")[1].startswith("X") and ":" in line for line in lines)
