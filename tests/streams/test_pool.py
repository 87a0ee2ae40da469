"""The pool keeps order, keeps the loop free, tells whose fault it was, and leaves nobody behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

import streams
from config import Misconfigured
from config.settings import Settings, Tag
from streams.messages import Record
from streams.pool import BrokenPool, StepPool
from streams.settlement import Outcome
from streams.topology import STEPS

NORMALISE, _, SEGMENT, TAG = STEPS
HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def _steps_importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(HERE))


def records(*values: bytes) -> list[Record]:
    return [Record("in", 0, offset, b"k", value, 1_000) for offset, value in enumerate(values)]


def values(outcomes: list[Outcome]) -> list[bytes]:
    return [outcome[0].value for outcome in outcomes if not isinstance(outcome, Exception)]


@contextlib.asynccontextmanager
async def pool(workers: int = 2) -> AsyncIterator[StepPool]:
    import pool_steps  # type: ignore[import-not-found]

    settings = Settings(tag=Tag(watchlists="told"))
    async with StepPool(STEPS, settings, workers, load=pool_steps.load) as made:
        yield made


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not within the deadline"
        await asyncio.sleep(0.01)


async def test_outcomes_come_in_the_order_of_the_records() -> None:
    told = [str(number).encode() for number in range(100)]
    async with pool() as two:
        both = await asyncio.gather(two.run(SEGMENT, records(*told)), two.run(TAG, records(*told)))
    assert [values(outcomes) for outcomes in both] == [told, told]


async def test_steps_are_loaded_once_with_the_settings_and_work_in_several_processes() -> None:
    async with pool() as two:
        told = [value.split() for value in values(await two.run(SEGMENT, records(*[b"who"] * 64)))]
    assert {(step, text) for step, text, *_ in told} == {(b"segment", b"told")}
    loaded_in, worked_in, parents = (set(each) for each in zip(*(line[2:] for line in told), strict=True))
    assert loaded_in == parents, "the children share what the server loaded"
    assert len(loaded_in) == 1
    assert os.getpid() not in {int(process) for process in worked_in | parents}


async def test_an_exception_of_one_record_leaves_the_others_alone() -> None:
    async with pool() as two:
        before, rejected, raised, after = await two.run(SEGMENT, records(b"a", b"reject", b"raise", b"b"))
    assert values([before, after]) == [b"a", b"b"]
    assert type(rejected).__name__ == "Rejected"
    assert isinstance(raised, RuntimeError), "what can't be pickled comes as a RuntimeError"
    assert "TwoArguments: a b" in str(raised)
    assert "pool_steps.py" in raised.__notes__[0], "the child's traceback is told"


async def test_a_dead_child_breaks_the_pool_and_names_the_records_it_had() -> None:
    async with pool() as two:
        with pytest.raises(BrokenPool, match="segment was at in/0/") as broken:
            await two.run(SEGMENT, records(b"a", b"die"))
        assert [record.value for record in broken.value.suspects] == [b"die"]
        with pytest.raises(BrokenPool):
            await two.run(SEGMENT, records(b"a", b"b", b"c"))


async def test_what_loading_raises_is_raised_here() -> None:
    import pool_steps

    with pytest.raises(Misconfigured, match="segment: no such model"):
        async with StepPool(STEPS, Settings(), 1, load=pool_steps.misconfigured):
            pytest.fail("the pool must not open")


async def test_a_pool_without_pooled_steps_starts_nothing() -> None:
    before = psutil.Process().children()
    async with StepPool([NORMALISE], Settings(), 2):
        assert psutil.Process().children() == before


async def test_the_loop_stays_free_while_children_work() -> None:
    late: list[float] = []

    async def tick() -> None:
        while True:
            asked = time.monotonic()
            await asyncio.sleep(0.01)
            late.append(time.monotonic() - asked - 0.01)

    async with pool() as two:
        ticking = asyncio.ensure_future(tick())
        await two.run(SEGMENT, records(*[b"spin"] * 4))
        ticking.cancel()
    assert len(late) > 10
    assert sorted(late)[len(late) // 2] < 0.1


async def test_children_are_gone_when_the_pool_is_closed_even_busy_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("streams.pool.STOP_TIMEOUT_S", 0.2)
    others = psutil.Process().children(recursive=True)  # servers of the test session
    async with pool() as two:
        family = [each for each in psutil.Process().children(recursive=True) if each not in others]
        assert len(family) >= 3
        busy = asyncio.ensure_future(two.run(SEGMENT, records(b"wait")))
        await asyncio.sleep(0)
        busy.cancel()
    await until(lambda: not any(process.is_running() for process in family))


async def test_signals_of_the_terminal_do_not_reach_the_children() -> None:
    async with pool() as two:
        for process in psutil.Process().children(recursive=True):
            if process.status() != psutil.STATUS_ZOMBIE and "streams.pool_server" in process.cmdline():
                process.send_signal(signal.SIGINT)
                process.send_signal(signal.SIGTERM)
        assert values(await two.run(SEGMENT, records(b"a", b"b"))) == [b"a", b"b"]


PARENT = """
import asyncio, pool_steps
from config.settings import Settings
from streams.messages import Record
from streams.pool import StepPool
from streams.topology import STEPS

async def main():
    async with StepPool(STEPS, Settings(), 2, load=pool_steps.load) as pool:
        busy = asyncio.ensure_future(pool.run(STEPS[2], [Record("in", 0, 0, b"", b"wait", 0)]))
        await asyncio.sleep(0)
        print("ready", flush=True)
        await busy

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
async def test_children_die_with_a_killed_parent() -> None:
    path = os.pathsep.join([str(HERE), str(Path(streams.__file__).parents[1])])
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}
    ) as parent:
        assert parent.stdout
        assert parent.stdout.readline() == b"ready\n"
        family = psutil.Process(parent.pid).children(recursive=True)
        assert len(family) >= 3
        parent.kill()
    await until(lambda: not any(process.is_running() for process in family))
