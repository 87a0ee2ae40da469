"""Retries: full jitter below a doubling ceiling, and circuits that leave alone what fails."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.errors import Transient
from streams import retry
from streams.retry import CircuitBreaker, NetworkBreaker, RetryPolicy, retry_until_stopped

POLICIES = [value for value in vars(retry).values() if isinstance(value, RetryPolicy)]
AT_ONCE = RetryPolicy("test", 0.0, 0.0)


def longest(_low: float, high: float) -> float:
    return high


@given(st.floats(0.001, 100), st.floats(0.001, 100_000), st.integers(1, 5000))
def test_the_ceiling_doubles_up_to_the_cap(first_s: float, cap_s: float, number: int) -> None:
    policy = RetryPolicy("any", first_s, cap_s)
    ceiling = policy.ceiling_s(number)
    assert ceiling <= cap_s
    assert ceiling == cap_s or policy.ceiling_s(number + 1) in {ceiling * 2, cap_s}
    assert 0 <= policy.delay_s(number) <= ceiling


def test_delays_are_as_many_as_there_are_retries() -> None:
    assert list(RetryPolicy("few", 1, 3, attempts=4).delays(longest)) == [1, 2, 3]
    assert list(RetryPolicy("once", 1, 3, attempts=1).delays(longest)) == []
    assert list(itertools.islice(RetryPolicy("ever", 1, 3).delays(longest), 5)) == [1, 2, 3, 3, 3]


def test_jitter_goes_down_to_nothing() -> None:
    delays = [RetryPolicy("any", 1, 1).delay_s(1) for _ in range(500)]
    assert min(delays) < 0.1
    assert max(delays) > 0.9


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_policies_have_names_of_their_own_and_grow(policy: RetryPolicy) -> None:
    assert [other.name for other in POLICIES].count(policy.name) == 1
    assert 0 < policy.first_s < policy.cap_s


class Attempts:
    """Fails so often, then gives its number."""

    def __init__(self, failures: int, error: Exception) -> None:
        self.number, self._failures, self._error = 0, failures, error

    async def __call__(self) -> int:
        self.number += 1
        if self.number <= self._failures:
            raise self._error
        return self.number


async def test_an_outage_is_tried_again_until_it_ends() -> None:
    seen: list[str] = []
    attempts = Attempts(3, Transient("no answer"))
    number = await retry_until_stopped(
        attempts, AT_ONCE, asyncio.Event(), before_wait=lambda error, _: seen.append(str(error))
    )
    assert (number, seen) == (4, ["no answer"] * 3)


async def test_after_the_stop_the_last_error_is_raised() -> None:
    stop = asyncio.Event()
    attempts = Attempts(1000, Transient("no answer"))
    with pytest.raises(Transient):
        await retry_until_stopped(
            attempts,
            AT_ONCE,
            stop,
            before_wait=lambda _error, _: stop.set() if attempts.number == 3 else None,
        )
    assert attempts.number == 4, "once more after the stop: what is in hand is finished where that works"


async def test_a_wait_ends_with_the_stop() -> None:
    stop = asyncio.Event()
    slow = RetryPolicy("slow", 3600, 3600)
    running = asyncio.create_task(retry_until_stopped(Attempts(9, Transient("no")), slow, stop))
    stop.set()
    async with asyncio.timeout(10):
        with pytest.raises(Transient):
            await running


async def test_what_is_no_outage_is_raised_at_once() -> None:
    attempts = Attempts(9, KeyError("a bug"))
    with pytest.raises(KeyError):
        await retry_until_stopped(attempts, AT_ONCE, asyncio.Event())
    assert attempts.number == 1


async def test_attempts_are_used_up() -> None:
    attempts = Attempts(9, Transient("no answer"))
    with pytest.raises(Transient):
        await retry_until_stopped(attempts, RetryPolicy("few", 0, 0, attempts=4), asyncio.Event())
    assert attempts.number == 4


def test_a_circuit_opens_after_failures_in_a_row_and_lets_one_try_through_at_a_time() -> None:
    circuit = CircuitBreaker(2, 60)
    circuit.record_failure(0)
    circuit.record_success()
    circuit.record_failure(1)
    assert circuit.acquire(1) == 0
    circuit.record_failure(2)
    assert circuit.acquire(12) == 50
    assert circuit.acquire(62) == 0, "the one try"
    assert circuit.acquire(62) == 60, "everybody else waits"
    circuit.record_failure(70)
    assert circuit.acquire(71) == 59
    circuit.record_success()
    assert circuit.acquire(71) == 0


def fail(breaker: NetworkBreaker, count: int, now: float = 100.0) -> None:
    for number in range(count):
        breaker.record(f"{number}.example", reached=False, now=now)


def test_when_nearly_all_hosts_fail_polling_pauses_but_for_a_probe() -> None:
    breaker = NetworkBreaker()
    fail(breaker, NetworkBreaker.MIN_HOSTS)
    assert breaker.is_open
    assert breaker.pause_until(101.0) == 100.0 + NetworkBreaker.PROBE_INTERVAL_S
    breaker.record_probe(105.0)
    assert breaker.pause_until(105.0) == 105.0 + NetworkBreaker.PROBE_INTERVAL_S


def test_one_answer_closes_it() -> None:
    breaker = NetworkBreaker()
    fail(breaker, NetworkBreaker.MIN_HOSTS)
    breaker.record("1.example", reached=True, now=106.0)
    assert not breaker.is_open
    assert breaker.pause_until(106.0) == 106.0


def test_a_few_hosts_that_fail_are_their_own_trouble() -> None:
    breaker = NetworkBreaker()
    fail(breaker, NetworkBreaker.MIN_HOSTS - 1)
    assert not breaker.is_open
    for number in range(20, 30):
        breaker.record(f"{number}.example", reached=True, now=100.0)
    fail(breaker, NetworkBreaker.MIN_HOSTS + 2)
    assert not breaker.is_open


def test_failures_of_long_ago_do_not_count() -> None:
    breaker = NetworkBreaker()
    fail(breaker, NetworkBreaker.MIN_HOSTS - 1, now=10.0)
    breaker.record("last.example", reached=False, now=100.0)
    assert not breaker.is_open
