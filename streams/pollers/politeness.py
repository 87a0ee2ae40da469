"""How often a host may be asked: so many requests at once, so long between two, and not before Retry-After."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Host:
    """One host's present: times are seconds since the epoch."""

    running: int = 0
    next_start: float = 0.0
    hold_until: float = 0.0
    delay: float = 0.0  # asked for by the host itself
    waiting: deque[Callable[[], None]] = field(default_factory=deque)


class Hosts:
    """The limits of all hosts. Pure bookkeeping: the caller sleeps."""

    def __init__(self, connections: int, delay: float) -> None:
        """`connections` at once, `delay` seconds between the starts of two requests."""
        self._connections = connections
        self._delay = delay
        self._hosts: dict[str, Host] = {}

    def reserve(self, host: str, now: float) -> float:
        """The next free moment of a host, which is now taken."""
        found = self._of(host)
        start = max(now, found.next_start, found.hold_until)
        found.next_start = start + max(self._delay, found.delay)
        return start

    def held_until(self, host: str) -> float:
        """Until when the host asked for silence."""
        return self._of(host).hold_until

    def is_full(self, host: str) -> bool:
        """Whether as many requests run as may."""
        return self._of(host).running >= self._connections

    def begin(self, host: str) -> None:
        """A request starts."""
        self._of(host).running += 1

    def end(self, host: str) -> None:
        """A request is over: the one that has waited longest may start."""
        found = self._of(host)
        found.running -= 1
        if found.waiting and not self.is_full(host):
            found.waiting.popleft()()

    def hold(self, host: str, until: float) -> None:
        """Ask the host no more before a moment."""
        found = self._of(host)
        found.hold_until = max(found.hold_until, until)

    def space(self, host: str, delay: float) -> None:
        """Leave at least `delay` seconds between the starts of two requests to a host from now on."""
        self._of(host).delay = delay

    def park(self, host: str, resume: Callable[[], None]) -> None:
        """Call `resume` once there is a free place; first come, first served."""
        self._of(host).waiting.append(resume)

    def _of(self, host: str) -> Host:
        return self._hosts.setdefault(host, Host())
