"""A pool of processes for the steps that use the processor, shared by both runtimes.

The models are loaded once: a process of our own (`streams.pool_server`) loads every step, then forks the children,
which share its memory. It is started fresh, never forked from the runtime, because a fork of a process with threads
(aiokafka, SQLite, the loop's executor) can inherit a lock that nobody will ever open; Python's own ``forkserver``
loads modules but no models, and keeps its children alive when the parent is killed.

Children die with their parent (Linux: at once, by ``PR_SET_PDEATHSIG``; elsewhere when their pipe closes), ignore
SIGINT and SIGTERM (the parent decides when they end), and calculate on one thread each. The loop itself talks with
them: a thread a child would wait for the interpreter's lock at every chunk, five milliseconds each time.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Final, Self

from config.settings import Settings
from streams.messages import Record
from streams.pool_server import FRAME_LENGTH, pack_frame
from streams.settlement import Outcome
from streams.steps import Work
from streams.topology import Step

# Records that go to a child at once. Fewer cost more exchanges, and tag works on fewer texts together; more leave children
# idle at the end of a batch, and are all suspects when one dies.
CHUNK_RECORDS: Final = 16
MAX_CHILDREN: Final = (
    4  # where the settings leave the number to us; each takes memory of its own beside the models
)
# For busy children at the end, before they are killed. Less runs their chunks again after the next start; with more, a
# supervisor's own patience (10 s is usual) ends first.
STOP_TIMEOUT_S: Final = 5.0
ONE_THREAD: Final = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
READ_BUFFER_BYTES: Final = 1 << 20  # of an answer that is not read yet; smaller makes more turns of the loop

StepLoader = Callable[[Step, Settings], Callable[[Sequence[Record]], list[Outcome]]]


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
        self, steps: Sequence[Step], settings: Settings, workers: int = 0, *, load: StepLoader = Work
    ) -> None:
        """Children for the steps that say ``pooled``; `workers` 0 means one a core, four at the most.

        `load` makes a step of its description in the child; it must be importable there.
        """
        self._steps = tuple(step for step in steps if step.pooled)
        self._settings = settings
        self._load = load
        self.workers = workers or min(len(os.sched_getaffinity(0)), MAX_CHILDREN)
        self._server: subprocess.Popen[bytes] | None = None
        self._free: asyncio.Queue[_Connection] = asyncio.Queue()
        self._connections: list[_Connection] = []
        self._busy: set[asyncio.Task[list[Outcome]]] = set()

    async def __aenter__(self) -> Self:
        """Start the children and wait until their models are loaded; raise what loading raised."""
        if self._steps:
            try:
                await self._start()
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
        size = max(1, min(CHUNK_RECORDS, -(-len(records) // self.workers)))
        chunks = [tuple(records[at : at + size]) for at in range(0, len(records), size)]
        outcomes = await asyncio.gather(*(self._run_chunk(step, chunk) for chunk in chunks))
        return [outcome for of_chunk in outcomes for outcome in of_chunk]

    async def _run_chunk(self, step: Step, chunk: tuple[Record, ...]) -> list[Outcome]:
        connection = await self._free.get()
        exchange = asyncio.ensure_future(_exchange(connection, step.name, chunk))
        self._busy.add(exchange)
        exchange.add_done_callback(self._busy.discard)
        # a cancelled caller leaves the child busy: it is free when its answer is there
        exchange.add_done_callback(lambda _: self._free.put_nowait(connection))
        return await asyncio.shield(exchange)

    async def _start(self) -> None:
        """Start the server, from the loop's own thread: its death signal is tied to the thread that starts it."""
        pairs = [socket.socketpair() for _ in range(1 + self.workers)]
        self._connections = [await _Connection.over(ours) for ours, _ in pairs]
        self._server = _start_server([end for _, end in pairs])
        control, *children = self._connections
        try:
            error = await control.ask((self._load, self._steps, self._settings))
        except (EOFError, OSError) as gone:
            raise BrokenPool("the pool's server died while it loaded the steps") from gone
        if error is not None:
            raise error
        for connection in children:
            self._free.put_nowait(connection)

    async def _stop(self) -> None:
        pending = set(self._busy)
        if pending:
            _, pending = await asyncio.wait(pending, timeout=STOP_TIMEOUT_S)
        if self._server and pending:
            self._server.kill()
        for connection in self._connections:
            connection.close()
        if pending:
            await asyncio.wait(pending)
        if self._server:
            await asyncio.to_thread(self._server.wait)


class _Connection:
    """A socket to the server or a child: one question, one answer."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def over(cls, connected: socket.socket) -> Self:
        """A connection over a connected socket, which it then owns."""
        return cls(*await asyncio.open_connection(sock=connected, limit=READ_BUFFER_BYTES))

    async def ask(self, question: object) -> Any:
        """Send a question and wait for its answer; EOFError or OSError where nobody is there any more."""
        self._writer.writelines(pack_frame(question))
        await self._writer.drain()
        (length,) = FRAME_LENGTH.unpack(await self._reader.readexactly(FRAME_LENGTH.size))
        return pickle.loads(await self._reader.readexactly(length))  # noqa: S301 -- our own child wrote it

    def close(self) -> None:
        """Hang up: a child ends when it hears that."""
        self._writer.close()


def _start_server(ends: Sequence[socket.socket]) -> subprocess.Popen[bytes]:
    """Start ``python -m streams.pool_server PID NUMBER...``, which owns these ends of the sockets from then on."""
    numbers = [end.fileno() for end in ends]
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "streams.pool_server", str(os.getpid()), *map(str, numbers)],
            pass_fds=numbers,
            env={**os.environ, **ONE_THREAD, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.DEVNULL,
        )
    finally:
        for end in ends:
            end.close()


async def _exchange(connection: _Connection, name: str, chunk: tuple[Record, ...]) -> list[Outcome]:
    try:
        outcomes: list[Outcome] = await connection.ask((name, chunk))
    except (EOFError, OSError) as gone:
        places = f"{chunk[0].topic}/{chunk[0].partition}/{chunk[0].offset}-{chunk[-1].offset}"
        raise BrokenPool(f"a child died while {name} was at {places}", chunk) from gone
    return outcomes
