"""What a host lets robots ask for: RFC 9309, where the settings say that it is obeyed.

A feed is made for machines, so by default nobody asks. Where an operator obeys, each origin's ``robots.txt`` is read
before the first request, again after a day, and for each hop of a redirect. An origin whose rules can't be had is not
asked for anything else: what went wrong with them is then the outcome of the poll.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit, urlunsplit

from protego import Protego

from config.settings import Poll
from streams.pollers.fetch import Answer, Fetcher, Request, Turn, host_of

if TYPE_CHECKING:
    from streams.pollers.politeness import Hosts

BELIEVED_S: Final = 86400.0  # RFC 9309, 2.4: not longer than a day
MOST_BYTES: Final = 512_000  # RFC 9309, 2.5: at least so much is read
OVER_TIME: Final = frozenset({408, 425, 429})  # 4xx that say "later", not "there is none"


@dataclass(frozen=True, slots=True)
class Rules:
    """What an origin's robots.txt says to our user agent; `parsed` is None where everything is allowed."""

    until: float  # seconds since the epoch
    parsed: Protego | None = None

    def allow(self, url: str, agent: str) -> bool:
        """Whether a URL may be asked for by a product token."""
        return self.parsed is None or bool(self.parsed.can_fetch(url, agent))

    def delay(self, agent: str) -> float:
        """Seconds between two requests that ``Crawl-delay`` asks for, 0 for none: not in the RFC, yet widely meant."""
        told = self.parsed.crawl_delay(agent) if self.parsed else None
        return max(0.0, float(told or 0.0))


def origin_of(url: str) -> str:
    """Where the rules of a URL stand: its scheme, host and port, path ``/robots.txt``."""
    scheme, netloc, *_ = urlsplit(url)
    return urlunsplit((scheme, netloc.rpartition("@")[2], "/robots.txt", "", ""))


def product_of(user_agent: str) -> str:
    """The product token of a User-Agent (RFC 9309, 2.2.1): letters, ``_`` and ``-`` at its start."""
    found = re.match(r"[A-Za-z_-]+", user_agent)
    return found[0] if found else "*"


def read_rules(answer: Answer, now: float) -> Rules | None:
    """The rules that an answer tells (RFC 9309, 2.3.1); None where they can't be had now."""
    until = now + BELIEVED_S
    if answer.failure == "redirects":
        return Rules(until)
    if answer.failure or answer.status >= 500 or answer.status in OVER_TIME:
        return None
    if answer.status != 200:
        return Rules(until)
    return Rules(until, Protego.parse(answer.body[:MOST_BYTES].decode("utf-8-sig", "replace")))


class Robots:
    """The rules of the origins that were asked, kept for a day."""

    def __init__(self, settings: Poll, hosts: Hosts) -> None:
        """Nobody was asked yet; `hosts` are told of crawl delays."""
        self._agent = product_of(settings.user_agent)
        self._longest = settings.max_interval_s
        self._hosts = hosts
        self._rules: dict[str, Rules] = {}

    async def refusal(
        self, url: str, request: Request, fetcher: Fetcher, turn: Turn, now: float
    ) -> Answer | None:
        """Why a hop of a request must not be asked for, as the answer to it; None where it may."""
        origin = origin_of(url)
        rules = self._rules.get(origin)
        if rules is None or rules.until <= now:
            answer = await fetcher.get(Request(origin, proxy=request.proxy), turn)
            rules = read_rules(answer, now)
            if rules is None:
                told = answer.message or f"the server said {answer.status}"
                return Answer(url, answer.status, answer.headers, failure=answer.failure,
                              message=f"robots.txt can't be read: {told}")  # fmt: skip
            self._rules[origin] = rules
            if delay := rules.delay(self._agent):
                self._hosts.space(host_of(url), min(delay, self._longest))
        if rules.allow(url, self._agent):
            return None
        return Answer(
            url, failure="robots", message=f"{origin} forbids it to {self._agent}; ask the publisher"
        )
