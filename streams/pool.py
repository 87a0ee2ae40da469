"""A pool of processes for the steps that use the processor, shared by both runtimes.

The models are loaded once: a process of our own (`streams.pool_server`) loads every step, then forks the children,
which share its memory. It is started fresh, never forked from the runtime, because a fork of a process with threads
(aiokafka, SQLite, the loop's executor) can inherit a lock that nobody will ever open; Python's own ``forkserver``
loads modules but no models, and keeps its children alive when the parent is killed.

Children die with their parent (Linux: at once, by ``PR_SET_PDEATHSIG``; elsewhere when their pipe closes), ignore
SIGINT and SIGTERM (the parent decides when they end), and calculate on one thread each.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection, Pipe
from types import TracebackType
from typing import Any, Final, Self

from config.settings import Settings
from streams.messages import Record
from streams.topology import Step
from streams.work import Outcome, Work

CHUNK: Final = 16  # records that go to a child at once
MOST: Final = 4  # children where the settings leave the number to us
PATIENCE_S: Final = 5.0  # for busy children at the end, before they are killed
ONE_THREAD: Final = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

Loader = Callable[[Step, Settings], Callable[[Sequence[Record]], list[Outcome]]]


class BrokenPool(Exception):
    """A child died (killed, out of memory, crashed in C); `suspects` are the records that it had in hand.

    The pool is of no use any more and the process that owns it should end: that is no reason to set a message aside
    at once. A runtime may count how often a record was among the suspects.
    """

    def __init__(self, message: str, suspects: tuple[Record, ...] = ()) -> None:
        super().__init__(message)
        self.suspects = suspects


class StepPool:
    """The children of one runtime, as an asynchronous context manager."""

    def __init__(
        self, steps: Sequence[Step], settings: Settings, workers: int = 0, *, load: Loader = Work
    ) -> None:
        """Children for the steps that say ``pooled``; `workers` 0 means one a core, four at the most.

        `load` makes a step of its description in the child; it must be importable there.
        """
        self._steps = tuple(step for step in steps if step.pooled)
        self._settings = settings
        self._load = load
        self.workers = workers or min(len(os.sched_getaffinity(0)), MOST)
        self._server: subprocess.Popen[bytes] | None = None
        self._free: asyncio.Queue[Connection[Any, Any]] = asyncio.Queue()
        self._threads = ThreadPoolExecutor(self.workers, "pool")
        self._pipes: list[Connection[Any, Any]] = []

    async def __aenter__(self) -> Self:
        """Start the children and wait until their models are loaded; raise what loading raised."""
        if self._steps:
            try:
                await asyncio.get_running_loop().run_in_executor(self._threads, _ready, self._start())
            except BaseException:
                await self._stop()
                raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the children: idle ones at once, busy ones when their chunk is done, but within seconds."""
        await self._stop()

    async def run(self, step: Step, records: Sequence[Record]) -> list[Outcome]:
        """One outcome a record, in order; no more than one chunk a child is in hand at any time.

        Raises:
            BrokenPool: a child died.
        """
        size = max(1, min(CHUNK, -(-len(records) // self.workers)))
        chunks = [tuple(records[at : at + size]) for at in range(0, len(records), size)]
        outcomes = await asyncio.gather(*(self._one(step, chunk) for chunk in chunks))
        return [outcome for made in outcomes for outcome in made]

    async def _one(self, step: Step, chunk: tuple[Record, ...]) -> list[Outcome]:
        pipe = await self._free.get()
        exchange = asyncio.get_running_loop().run_in_executor(
            self._threads, _exchange, pipe, step.name, chunk
        )
        try:
            return await asyncio.shield(exchange)
        finally:  # a cancelled caller leaves the child busy: it is free when its answer is there
            exchange.add_done_callback(lambda _: self._free.put_nowait(pipe))

    def _start(self) -> Connection[Any, Any]:
        """Start the server, from the loop's own thread: its death signal is tied to the thread that starts it."""
        control, control_end = Pipe()
        pairs = [Pipe() for _ in range(self.workers)]
        ends = [control_end, *(end for _, end in pairs)]
        numbers = [end.fileno() for end in ends]
        self._pipes = [control, *(pipe for pipe, _ in pairs)]
        self._server = subprocess.Popen(
            [sys.executable, "-m", "streams.pool_server", str(os.getpid()), *map(str, numbers)],
            pass_fds=numbers,
            env={**os.environ, **ONE_THREAD, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.DEVNULL,
        )
        for end in ends:
            end.close()
        control.send((self._load, self._steps, self._settings))
        for pipe, _ in pairs:
            self._free.put_nowait(pipe)
        return control

    async def _stop(self) -> None:
        ended = asyncio.ensure_future(asyncio.to_thread(self._threads.shutdown))
        await asyncio.wait({ended}, timeout=PATIENCE_S)
        if self._server and not ended.done():
            self._server.kill()
        await ended
        for pipe in self._pipes:
            pipe.close()
        if self._server:
            await asyncio.to_thread(self._server.wait)


def _ready(control: Connection[Any, Any]) -> None:
    try:
        error = control.recv()
    except (EOFError, OSError) as gone:
        raise BrokenPool("the pool's server died while it loaded the steps") from gone
    if error is not None:
        raise error


def _exchange(pipe: Connection[Any, Any], name: str, chunk: tuple[Record, ...]) -> list[Outcome]:
    try:
        pipe.send((name, chunk))
        outcomes: list[Outcome] = pickle.loads(pipe.recv_bytes())  # noqa: S301 -- our own child wrote it
    except (EOFError, OSError) as gone:
        places = f"{chunk[0].topic}/{chunk[0].partition}/{chunk[0].offset}-{chunk[-1].offset}"
        raise BrokenPool(f"a child died while {name} was at {places}", chunk) from gone
    return outcomes
