"""robots.txt (RFC 9309): what its answer means, and that an engine told to obey asks for nothing that it forbids."""

from __future__ import annotations

import pytest

from config.settings import Normalise, Poll
from streams.pollers.check import check_feed
from streams.pollers.feed import Feed
from streams.pollers.feed_health import read_health
from streams.pollers.fetch import Answer
from streams.pollers.politeness import (
    MAX_ROBOTS_BYTES,
    RULES_MAX_AGE_S,
    HostLimits,
    RobotsRules,
    origin_of,
    product_of,
    read_rules,
)
from streams.pollers.state import unpack_state
from tests.streams.pollers.conftest import MemoryLog, WebServer
from tests.streams.pollers.polling import document, outcome_of, polling, settings

NOW = 1_800_000_000.0
FEED = "https://wire.example/rss/world.xml"


def rules(text: str) -> RobotsRules:
    found = read_rules(Answer(origin_of(FEED), 200, body=text.encode()), NOW)
    assert found
    return found


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://wire.example/rss?a=1#b", "https://wire.example/robots.txt"),
        ("http://wire.example:8080/", "http://wire.example:8080/robots.txt"),
        ("https://reader:secret@wire.example/rss", "https://wire.example/robots.txt"),
        ("https://[2001:db8::1]:8443/rss", "https://[2001:db8::1]:8443/robots.txt"),
    ],
)
def test_the_rules_of_an_origin_stand_at_its_root(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    ("agent", "product"),
    [("wiredesk/0.1 (+https://desk.example)", "wiredesk"), ("City-Desk_bot", "City-Desk_bot"), ("/1", "*")],
)
def test_the_product_token_is_the_start_of_the_user_agent(agent: str, product: str) -> None:
    assert product_of(agent) == product


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("", True),
        ("User-agent: *\nDisallow:", True),
        ("User-agent: *\nDisallow: /", False),
        ("\ufeffUser-agent: *\r\nDisallow: /rss", False),
        ("User-agent: WireDesk\nAllow: /rss/\n\nUser-agent: *\nDisallow: /", True),
        ("User-agent: *\nAllow: /\n\nUser-agent: wiredesk\nDisallow: /*.xml$", False),
        ("User-agent: *\nDisallow: /rss/world\nAllow: /rss/world.xml", True),  # the longest match counts
        ("User-agent: github\nDisallow: /", True),  # stands in our URL of contact, not in our token
        ("<html><body>not found</body></html>", True),
    ],
)
def test_rules_are_read_for_our_token(text: str, allowed: bool) -> None:
    assert rules(text).allow(FEED, product_of(Poll().user_agent)) is allowed


@pytest.mark.parametrize("status", [204, 301, 400, 401, 403, 404, 410, 451])
def test_where_there_are_none_everything_is_allowed(status: int) -> None:
    found = read_rules(Answer(origin_of(FEED), status), NOW)
    assert found
    assert found.allow(FEED, "wiredesk")
    assert found.until == NOW + RULES_MAX_AGE_S


@pytest.mark.parametrize(
    "answer",
    [
        Answer("u", 500),
        Answer("u", 503),
        Answer("u", 429),
        Answer("u", failure="dns"),
        Answer("u", failure="tls"),
    ],
)
def test_rules_that_can_not_be_had_now_allow_nothing(answer: Answer) -> None:
    assert read_rules(answer, NOW) is None


def test_a_loop_of_redirects_is_no_rule() -> None:
    assert read_rules(Answer("u", 301, failure="redirects"), NOW) == RobotsRules(NOW + RULES_MAX_AGE_S)


def test_rules_without_end_are_read_to_their_limit() -> None:
    junk = "# junk\n" * (MAX_ROBOTS_BYTES // 7 + 1)
    assert rules(f"User-agent: *\n{junk}Disallow: /").allow(FEED, "wiredesk")


def test_a_crawl_delay_is_told() -> None:
    found = rules("User-agent: *\nCrawl-delay: 2.5\n\nUser-agent: other\nCrawl-delay: 60\nDisallow:")
    assert found.delay("wiredesk") == 2.5
    assert rules("User-agent: *\nCrawl-delay: soon\nDisallow:").delay("wiredesk") == 0.0
    hosts = HostLimits(connections=2, delay=1.0)
    assert hosts.reserve("wire.example", NOW) == NOW
    hosts.space("wire.example", found.delay("wiredesk"))
    assert [hosts.reserve("wire.example", NOW) - NOW for _ in range(3)] == [1.0, 3.5, 6.0]


async def test_by_default_nobody_asks(log: MemoryLog, web: WebServer) -> None:
    web.answer("/rss", document(1))
    await outcome_of(log, web)
    assert not web.of("/robots.txt")


async def test_what_is_allowed_is_asked_once_the_rules_are_known(log: MemoryLog, web: WebServer) -> None:
    web.answer("/robots.txt", b"User-agent: *\nDisallow: /private\n")
    web.answer("/rss", document(1))
    async with polling(log, [Feed("f", web.url("/rss"))], settings(web, robots=True)):
        await log.until(lambda: len(web.of("/rss")) > 2)
    assert web.requests[0].path == "/robots.txt"
    assert len(web.of("/robots.txt")) == 1


async def test_what_is_forbidden_is_not_asked_and_said_to_be(log: MemoryLog, web: WebServer) -> None:
    web.answer("/robots.txt", b"User-agent: wiredesk\nDisallow: /rss\n")
    state = await outcome_of(log, web, robots=True)
    assert not web.of("/rss")
    assert state.outcome == "robots"
    health = read_health(Feed("f", web.url("/rss")), log.states["f"], state.polled)
    assert "robots.txt forbids it to wiredesk" in health.message


async def test_each_hop_of_a_redirect_is_judged(log: MemoryLog, web: WebServer) -> None:
    web.answer("/robots.txt", b"User-agent: *\nDisallow: /private/\n")
    web.answer("/rss", b"", "302 Found", Location="/private/rss")
    state = await outcome_of(log, web, robots=True)
    assert state.outcome == "robots"
    assert not web.of("/private/rss")


async def test_without_rules_the_poll_fails_as_they_did(log: MemoryLog, web: WebServer) -> None:
    web.answer("/robots.txt", b"", "503 Service Unavailable", Retry_After="60")
    state = await outcome_of(log, web, robots=True)
    assert not web.of("/rss")
    assert state.outcome == "throttled"
    assert state.message.startswith("robots.txt can't be read")
    assert unpack_state(log.states["f"]).held_until > state.polled + 50


async def test_a_check_obeys_as_well(web: WebServer) -> None:
    web.answer("/robots.txt", b"User-agent: *\nDisallow: /\n")
    report = await check_feed(Feed("f", web.url("/rss")), settings(web, robots=True), Normalise())
    assert report.outcome == "robots"
    assert not web.of("/rss")
