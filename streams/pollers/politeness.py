"""How a host is asked: so many requests at once, so long between two, not before Retry-After, and by its robots.txt.

A feed is made for machines, so by default nobody asks for robots.txt (RFC 9309). Where an operator obeys it, each
origin's file is read before the first request, again after a day, and for each hop of a redirect. An origin whose
rules can't be had is not asked for anything else: what went wrong with them is then the outcome of the poll.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from protego import Protego

from config.settings import Poll
from streams.pollers.fetch import Answer, Fetcher, HostTurn, Request, host_of


@dataclass(slots=True)
class HostLoad:
    """One host's present: times are seconds since the epoch."""

    running: int = 0
    next_start: float = 0.0
    hold_until: float = 0.0
    delay: float = 0.0  # asked for by the host itself
    waiting: deque[Callable[[], None]] = field(default_factory=deque)


class HostLimits:
    """The limits of all hosts. Pure bookkeeping: the caller sleeps."""

    def __init__(self, connections: int, delay: float) -> None:
        """`connections` at once, `delay` seconds between the starts of two requests."""
        self._connections = connections
        self._delay = delay
        self._hosts: dict[str, HostLoad] = {}

    def reserve(self, host: str, now: float) -> float:
        """The next free moment of a host, which is now taken."""
        load = self._load_of(host)
        start = max(now, load.next_start, load.hold_until)
        load.next_start = start + max(self._delay, load.delay)
        return start

    def held_until(self, host: str) -> float:
        """Until when the host asked for silence."""
        return self._load_of(host).hold_until

    def is_full(self, host: str) -> bool:
        """Whether as many requests run as may."""
        return self._load_of(host).running >= self._connections

    def begin(self, host: str) -> None:
        """A request starts."""
        self._load_of(host).running += 1

    def end(self, host: str) -> None:
        """A request is over: the one that has waited longest may start."""
        self._load_of(host).running -= 1
        self.resume_next(host)

    def resume_next(self, host: str) -> None:
        """Let the one that has waited longest start, where there is a free place."""
        load = self._load_of(host)
        if load.waiting and not self.is_full(host):
            load.waiting.popleft()()

    def hold(self, host: str, until: float) -> None:
        """Ask the host no more before a moment."""
        load = self._load_of(host)
        load.hold_until = max(load.hold_until, until)

    def space(self, host: str, delay: float) -> None:
        """Leave at least `delay` seconds between the starts of two requests to a host from now on."""
        self._load_of(host).delay = delay

    def park(self, host: str, resume: Callable[[], None]) -> None:
        """Call `resume` once there is a free place; first come, first served."""
        self._load_of(host).waiting.append(resume)

    def _load_of(self, host: str) -> HostLoad:
        return self._hosts.setdefault(host, HostLoad())


RULES_MAX_AGE_S: Final = 86400.0  # RFC 9309, 2.4: not longer than a day
MAX_ROBOTS_BYTES: Final = 512_000  # RFC 9309, 2.5: at least so much is read
LATER_STATUSES: Final = frozenset({408, 425, 429})  # 4xx that say "later", not "there is none"


@dataclass(frozen=True, slots=True)
class RobotsRules:
    """What an origin's robots.txt says to our user agent; `parsed` is None where everything is allowed."""

    until: float  # seconds since the epoch
    parsed: Protego | None = None

    def allow(self, url: str, agent: str) -> bool:
        """Whether a URL may be asked for by a product token."""
        return self.parsed is None or bool(self.parsed.can_fetch(url, agent))

    def delay(self, agent: str) -> float:
        """Seconds between two requests that ``Crawl-delay`` asks for, 0 for none: not in the RFC, yet widely meant."""
        seconds = self.parsed.crawl_delay(agent) if self.parsed else None
        return max(0.0, float(seconds or 0.0))


def origin_of(url: str) -> str:
    """Where the rules of a URL stand: its scheme, host and port, path ``/robots.txt``."""
    scheme, netloc, *_ = urlsplit(url)
    return urlunsplit((scheme, netloc.rpartition("@")[2], "/robots.txt", "", ""))


def product_of(user_agent: str) -> str:
    """The product token of a User-Agent (RFC 9309, 2.2.1): letters, ``_`` and ``-`` at its start."""
    token = re.match(r"[A-Za-z_-]+", user_agent)
    return token[0] if token else "*"


def read_rules(answer: Answer, now: float) -> RobotsRules | None:
    """The rules that an answer tells (RFC 9309, 2.3.1); None where they can't be had now."""
    until = now + RULES_MAX_AGE_S
    if answer.failure == "redirects":
        return RobotsRules(until)
    if answer.failure or answer.status >= 500 or answer.status in LATER_STATUSES:
        return None
    if answer.status != 200:
        return RobotsRules(until)
    return RobotsRules(until, Protego.parse(answer.body[:MAX_ROBOTS_BYTES].decode("utf-8-sig", "replace")))


class Robots:
    """The rules of the origins that were asked, kept for a day."""

    def __init__(self, settings: Poll, hosts: HostLimits) -> None:
        """Nobody was asked yet; `hosts` are told of crawl delays."""
        self._agent = product_of(settings.user_agent)
        self._longest = settings.max_interval_s
        self._hosts = hosts
        self._rules: dict[str, RobotsRules] = {}

    async def refusal(
        self, url: str, request: Request, fetcher: Fetcher, turn: HostTurn, now: float
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
