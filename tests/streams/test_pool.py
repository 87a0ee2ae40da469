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
from prometheus_client import Counter

import streams
from config import Misconfigured
from config.settings import Settings, Steps, Tag
from processors.errors import OutOfMemory
from sinks.metrics import DEADLINES
from streams.messages import Record
from streams.pool import CHUNK_BYTES, BrokenPool, StepPool
from streams.settlement import LostChild, Outcome
from streams.topology import STEPS

_, DEDUPLICATE, SEGMENT, TAG, _ = STEPS
HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def _steps_importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(HERE))


def records(*values: bytes) -> list[Record]:
    return [Record("in", 0, offset, b"k", value, 1_000) for offset, value in enumerate(values)]


def values(outcomes: list[Outcome]) -> list[bytes]:
    return [outcome[0].value for outcome in outcomes if not isinstance(outcome, Exception)]


@contextlib.asynccontextmanager
async def pool(workers: int = 2, deadline_s: float = 30.0) -> AsyncIterator[StepPool]:
    import pool_steps  # type: ignore[import-not-found]

    settings = Settings(tag=Tag(watchlists="told"), steps=Steps(deadline_s=deadline_s))
    async with StepPool(STEPS, settings, workers, load=pool_steps.load) as made:
        yield made


def counted(counter: Counter, **labels: str) -> float:
    return float(counter.labels(**labels)._value.get())


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


async def test_a_dead_child_is_replaced_and_all_that_it_had_is_suspect() -> None:
    async with pool(1) as one:
        first, second = await one.run(SEGMENT, records(b"a", b"die"))
        assert isinstance(first, LostChild)
        assert isinstance(second, LostChild)
        assert "the child that ran segment ended with SIGKILL" in str(first)
        assert values(await one.run(SEGMENT, records(b"a", b"b", b"c"))) == [b"a", b"b", b"c"]


async def test_a_record_that_hangs_is_killed_past_the_deadline_and_others_go_on_meanwhile() -> None:
    before = counted(DEADLINES, step="tag")
    async with pool(2, deadline_s=0.3) as two:
        hanging = asyncio.ensure_future(two.run(TAG, records(b"hang")))
        await asyncio.sleep(0)
        assert values(await two.run(SEGMENT, records(b"a"))) == [b"a"]
        assert not hanging.done()
        [outcome] = await hanging
        assert isinstance(outcome, LostChild)
        assert "tag was not done after 0.3 s" in str(outcome)
        assert values(await two.run(TAG, records(*[b"a"] * 40))) == [b"a"] * 40, "both children work"
    assert counted(DEADLINES, step="tag") == before + 1


async def test_the_deadline_is_that_of_an_answer_and_not_of_a_life() -> None:
    async with pool(1, deadline_s=1.5) as one:
        for _ in range(8):
            assert values(await one.run(SEGMENT, records(b"nap"))) == [b"nap"]


async def test_a_child_that_is_killed_while_it_is_idle_is_replaced_before_the_next_record() -> None:
    async with pool(2) as two:
        who = values(await two.run(SEGMENT, records(*[b"who"] * 32)))
        pids = {int(value.split()[3]) for value in who}
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        await until(lambda: len({child.process_id for child in two._children} - pids) == 2)
        who = values(await two.run(SEGMENT, records(*[b"who"] * 32)))
        assert len(who) == 32
        assert not pids & {int(value.split()[3]) for value in who}


async def test_a_dead_server_breaks_the_pool_and_names_the_records_in_hand() -> None:
    async with pool(1) as one:
        waiting = asyncio.ensure_future(one.run(SEGMENT, records(b"wait")))
        queued = asyncio.ensure_future(one.run(SEGMENT, records(b"a")))
        await asyncio.sleep(0.05)
        assert one._server
        one._server.kill()
        with pytest.raises(BrokenPool, match="segment was at in/0/0-0") as broken:
            await waiting
        assert [record.value for record in broken.value.suspects] == [b"wait"]
        with pytest.raises(BrokenPool):
            await queued
        with pytest.raises(BrokenPool):
            await one.run(SEGMENT, records(b"a"))


async def test_large_records_do_not_share_a_deadline() -> None:
    big = b"x" * (CHUNK_BYTES // 2)
    async with pool(1) as one:
        chunks = list(one._chunks(records(big, big, b"a", big, b"b", big + big + big, b"c")))
        assert [len(chunk) for chunk in chunks] == [2, 3, 1, 1]
        assert [record.offset for chunk in chunks for record in chunk] == list(range(7))


async def test_where_memory_is_short_records_are_run_alone_in_fresh_children() -> None:
    async with pool(1) as one:
        who = values(await one.run(SEGMENT, records(b"who")))
        together = await one.run(SEGMENT, records(b"short of memory", b"who"))
        assert isinstance(together[0], OutOfMemory)
        assert len(values(together)) == 1
        assert values(together)[0].split()[3] != who[0].split()[3]


async def test_a_task_runs_in_a_child_and_its_deadline_holds() -> None:
    import pool_steps

    settings = Settings(steps=Steps(deadline_s=0.3))
    async with StepPool([], settings, 1, tasks={"judge": pool_steps.answer_all}) as one:
        assert await one.run_task("judge", b"a") == (b"a", b"answered")
        with pytest.raises(LostChild, match=r"judge was not done after 0\.3 s"):
            await one.run_task("judge", b"hang")
        with pytest.raises(ValueError, match="as told"):
            await one.run_task("judge", b"raise")
        assert await one.run_task("judge", b"b") == (b"b", b"answered")


async def test_what_loading_raises_is_raised_here() -> None:
    import pool_steps

    with pytest.raises(Misconfigured, match="normalise: no such model"):
        async with StepPool(STEPS, Settings(), 1, load=pool_steps.misconfigured):
            pytest.fail("the pool must not open")


async def test_a_pool_without_pooled_steps_starts_nothing() -> None:
    before = psutil.Process().children()
    async with StepPool([DEDUPLICATE], Settings(), 2):
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


async def test_a_step_that_is_loaded_anew_answers_all_that_is_asked_from_then_on(tmp_path: Path) -> None:
    import pool_steps

    path = tmp_path / "words"
    path.write_text("before")
    settings = Settings(tag=Tag(watchlists=str(path)))
    async with StepPool(STEPS, settings, 2, load=pool_steps.load_of_file) as made:
        busy = asyncio.ensure_future(made.run(TAG, records(b"nap")))
        assert values(await made.run(TAG, records(b"words"))) == [b"before"]
        path.write_text("after")
        assert values(await made.run(TAG, records(b"words"))) == [b"before"]
        await made.renew("tag")
        assert set(values(await made.run(TAG, records(*[b"words"] * 20)))) == {b"after"}
        assert values(await busy) == [b"nap"], "what is in hand is finished"
        path.unlink()
        with pytest.raises(Misconfigured, match="no such file of words"):
            await made.renew("tag")
        assert set(values(await made.run(TAG, records(*[b"words"] * 20)))) == {b"after"}
        await made.renew("route")  # none of the pool's
        assert len(made._children) == 2
