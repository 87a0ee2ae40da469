"""A host is asked so often and no more."""

from __future__ import annotations

from streams.pollers.breaker import LEAST_HOSTS, PROBE_S, Breaker
from streams.pollers.politeness import Hosts

HOST = "wire.example"


def test_requests_of_a_host_are_spaced() -> None:
    hosts = Hosts(2, 5.0)
    assert [hosts.reserve(HOST, 100.0) for _ in range(3)] == [100.0, 105.0, 110.0]
    assert hosts.reserve("other.example", 100.0) == 100.0


def test_retry_after_holds_the_whole_host() -> None:
    hosts = Hosts(2, 5.0)
    hosts.hold(HOST, 160.0)
    hosts.hold(HOST, 130.0)
    assert hosts.held_until(HOST) == hosts.reserve(HOST, 100.0) == 160.0


def test_those_who_wait_for_a_place_go_first_come_first_served() -> None:
    hosts, started = Hosts(2, 0.0), []
    hosts.begin(HOST)
    hosts.begin(HOST)
    assert hosts.is_full(HOST)
    for name in ("one", "two"):
        hosts.park(HOST, lambda name=name: started.append(name))  # type: ignore[misc]
    hosts.end(HOST)
    assert started == ["one"]
    assert not hosts.is_full(HOST)


def failed(breaker: Breaker, count: int, now: float = 100.0) -> None:
    for number in range(count):
        breaker.record(f"{number}.example", reached=False, now=now)


def test_when_nearly_all_hosts_fail_polling_pauses_but_for_a_probe() -> None:
    breaker = Breaker()
    failed(breaker, LEAST_HOSTS)
    assert breaker.is_open
    assert breaker.pause_until(101.0) == 100.0 + PROBE_S
    breaker.probed(105.0)
    assert breaker.pause_until(105.0) == 105.0 + PROBE_S


def test_one_answer_closes_it() -> None:
    breaker = Breaker()
    failed(breaker, LEAST_HOSTS)
    breaker.record("1.example", reached=True, now=106.0)
    assert not breaker.is_open
    assert breaker.pause_until(106.0) == 106.0


def test_a_few_hosts_that_fail_are_their_own_trouble() -> None:
    breaker = Breaker()
    failed(breaker, LEAST_HOSTS - 1)
    assert not breaker.is_open
    for number in range(20, 30):
        breaker.record(f"{number}.example", reached=True, now=100.0)
    failed(breaker, LEAST_HOSTS + 2)
    assert not breaker.is_open


def test_failures_of_long_ago_do_not_count() -> None:
    breaker = Breaker()
    failed(breaker, LEAST_HOSTS - 1, now=10.0)
    breaker.record("last.example", reached=False, now=100.0)
    assert not breaker.is_open
