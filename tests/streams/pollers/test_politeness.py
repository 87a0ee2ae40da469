"""A host is asked so often and no more."""

from __future__ import annotations

from streams.pollers.politeness import HostLimits

HOST = "wire.example"


def test_requests_of_a_host_are_spaced() -> None:
    hosts = HostLimits(2, 5.0)
    assert [hosts.reserve(HOST, 100.0) for _ in range(3)] == [100.0, 105.0, 110.0]
    assert hosts.reserve("other.example", 100.0) == 100.0


def test_retry_after_holds_the_whole_host() -> None:
    hosts = HostLimits(2, 5.0)
    hosts.hold(HOST, 160.0)
    hosts.hold(HOST, 130.0)
    assert hosts.held_until(HOST) == hosts.reserve(HOST, 100.0) == 160.0


def test_those_who_wait_for_a_place_go_first_come_first_served() -> None:
    hosts, started = HostLimits(2, 0.0), []
    hosts.begin(HOST)
    hosts.begin(HOST)
    assert hosts.is_full(HOST)
    for name in ("one", "two"):
        hosts.park(HOST, lambda name=name: started.append(name))  # type: ignore[misc]
    hosts.end(HOST)
    assert started == ["one"]
    assert not hosts.is_full(HOST)
