"""A pool of processes for all work on what publishers sent, shared by both runtimes.

The models are loaded once: a process of our own (`streams.pool_server`) loads every step, then forks the children,
which share its memory. It is started fresh, never forked from the runtime, because a fork of a process with threads
(aiokafka, SQLite, the loop's executor) can inherit a lock that nobody will ever open; Python's own ``forkserver``
loads modules but no models, and keeps its children alive when the parent is killed.

Every answer has a deadline (``steps.deadline_s``), past which the kernel kills the child. A child that ends, whatever
ended it, is replaced at once by a fresh fork; what it had in hand comes back as `LostChild`, so that `streams.settlement`
counts it. Children die with their parent (Linux: at once, by ``PR_SET_PDEATHSIG``; elsewhere when their pipe closes),
ignore SIGINT and SIGTERM (the parent decides when they end), and calculate on one thread each. The loop itself talks
with them: a thread a child would wait for the interpreter's lock at every chunk, five milliseconds each time.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType, TracebackType
from typing import Any, Final, Self

import structlog

from config.settings import Settings
from processors.errors import OutOfMemory
from sinks.metrics import DEADLINES, LOST_CHILDREN, POOL_CHILDREN, POOL_WAITING
from streams.messages import Record
from streams.pool_server import FORK_REQUEST, FRAME_LENGTH, RENEW_REQUEST, PooledTask, pack_frame
from streams.settlement import LostChild, Outcome
from streams.steps import load_used_work
from streams.topology import Step

# Records that go to a child at once. Fewer cost more exchanges, and tag works on fewer texts together; more leave children
# idle at the end of a batch, and are all suspects when one dies.
CHUNK_RECORDS: Final = 16
# Of the records that go to a child at once; a larger one goes alone. Sixteen stories are some 100 kB. With more, sixteen
# whole packages share one deadline and honest ones are killed, and texts of 100 kB take 60 MB each to find names in;
# with less, long stories are tagged one by one.
CHUNK_BYTES: Final = 1 << 18
MAX_CHILDREN: Final = (
    4  # where the settings leave the number to us; each takes memory of its own beside the models
)
# For busy children at the end, before they are killed. Less runs their chunks again after the next start; with more, a
# supervisor's own patience (10 s is usual) ends first.
STOP_TIMEOUT_S: Final = 5.0
ONE_THREAD: Final = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
NO_TASKS: Final[Mapping[str, PooledTask]] = MappingProxyType({})
log = structlog.get_logger("wiredesk.pool")

StepLoader = Callable[[Step, Settings], Callable[[Sequence[Record]], list[Outcome]]]


class BrokenPool(Exception):
    """The pool's server died (killed, out of memory), and all children with it; `suspects` are records in hand.

    The pool is of no use any more and the process that owns it should end: that is no reason to set a message aside
    at once. A runtime may count how often a record was among the suspects.
    """

    def __init__(self, message: str, suspects: tuple[Record, ...] = ()) -> None:
        super().__init__(message)
        self.suspects = suspects


class StepPool:
    """The children of one runtime, as an asynchronous context manager."""

    def __init__(
        self,
        steps: Sequence[Step],
        settings: Settings,
        workers: int = 0,
        *,
        load: StepLoader = load_used_work,
        tasks: Mapping[str, PooledTask] = NO_TASKS,
    ) -> None:
        """Children for the steps that say ``pooled``, and for `tasks`; `workers` 0 means one a core, four at the most.

        `load` makes a step of its description in the child; it, and the functions of `tasks`, must be importable there.
        """
        self._steps = tuple(step for step in steps if step.pooled)
        self._settings, self._load, self._tasks = settings, load, dict(tasks)
        self.workers = workers or min(len(os.sched_getaffinity(0)), MAX_CHILDREN)
        self._server: _Server | None = None
        self._free: asyncio.Queue[_Child | None] = asyncio.Queue()  # None: the pool is broken
        self._children: set[_Child] = set()
        self._outdated: set[_Child] = set()  # busy ones that were forked before a step was loaded anew
        self._busy: dict[asyncio.Task[list[Any]], float] = {}  # since when, in monotonic seconds
        self._replacing: set[asyncio.Task[None]] = set()
        self._waiting_count = 0  # questions that wait for a child
        self._failure: BrokenPool | None = None
        self._is_stopping = False

    async def __aenter__(self) -> Self:
        """Start the children and wait until their models are loaded; raise what loading raised."""
        if self._steps or self._tasks:
            try:
                self._server = await _Server.start((self._load, self._steps, self._tasks, self._settings))
                for _ in range(self.workers):
                    await self._add_child()
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

        Those of a child that died, or was killed past the deadline, are `LostChild`.

        Raises:
            BrokenPool: the server died, and the pool is of no use any more.
        """
        chunks = list(self._chunks(records))
        outcomes = await asyncio.gather(*(self._run_chunk(step, chunk) for chunk in chunks))
        return [outcome for of_chunk in outcomes for outcome in of_chunk]

    async def run_task(self, name: str, argument: Any) -> Any:
        """What one of the tasks makes of an argument.

        Raises:
            LostChild: the child died, or was killed past the deadline.
            BrokenPool: the server died, and the pool is of no use any more.
        """
        (result,) = await self._ask(name, (argument,))
        if isinstance(result, Exception):
            raise result
        return result

    async def renew(self, name: str) -> None:
        """Load a pooled step anew, as its files have changed; what is asked from now on is answered by that.

        What children have in hand they finish as they began it. Nothing is loaded where the step is not of this pool.

        Raises:
            Misconfigured: a file has a fault, and what was loaded before stays.
            BrokenPool: the server died, and the pool is of no use any more.
        """
        if self._server is None or name not in {step.name for step in self._steps}:
            return
        try:
            error = await self._server.renew(name)
        except (EOFError, OSError) as gone:
            raise BrokenPool("the pool's server died") from gone
        if error is not None:
            raise error
        self._outdated = set(self._children)
        idle = [child for child in self._drain_free() if child in self._children and not child.is_lost]
        for child in idle:
            self._outdated.discard(child)
            await self._replace(child)

    def _drain_free(self) -> Iterator[_Child]:
        while not self._free.empty():
            child = self._free.get_nowait()
            if child is None:  # the pool is broken, and whoever asks next is to hear of it
                self._free.put_nowait(None)
                return
            yield child

    def _chunks(self, records: Sequence[Record]) -> Iterator[tuple[Record, ...]]:
        """The records in pieces, so many that every child has one."""
        size = max(1, min(CHUNK_RECORDS, -(-len(records) // self.workers)))
        chunk: list[Record] = []
        held_bytes = 0
        for record in records:
            if chunk and (len(chunk) == size or held_bytes + len(record.value) > CHUNK_BYTES):
                yield tuple(chunk)
                chunk, held_bytes = [], 0
            chunk.append(record)
            held_bytes += len(record.value)
        if chunk:
            yield tuple(chunk)

    async def _run_chunk(self, step: Step, chunk: tuple[Record, ...]) -> list[Outcome]:
        try:
            outcomes: list[Outcome] = await self._ask(step.name, chunk)
        except LostChild as lost:
            return [lost] * len(chunk)
        except BrokenPool as broken:
            places = f"{chunk[0].topic}/{chunk[0].partition}/{chunk[0].offset}-{chunk[-1].offset}"
            raise BrokenPool(f"{broken} while {step.name} was at {places}", chunk) from broken
        if len(chunk) > 1 and any(isinstance(outcome, OutOfMemory) for outcome in outcomes):
            # together they may need what none of them needs
            return [outcome for record in chunk for outcome in await self._run_chunk(step, (record,))]
        return outcomes

    async def _ask(self, name: str, arguments: Sequence[Any]) -> list[Any]:
        """One question to the next child that is free. A cancelled caller leaves it busy until its answer is there."""
        self._note_waiting(1)
        try:
            child = await self._free_child()
        finally:
            self._note_waiting(-1)
        exchange = asyncio.ensure_future(self._exchange(child, name, arguments))
        self._busy[exchange] = time.monotonic()
        self._show_children()
        exchange.add_done_callback(self._note_end)
        return await asyncio.shield(exchange)

    def _note_waiting(self, change: int) -> None:
        self._waiting_count += change
        POOL_WAITING.set(self._waiting_count)

    def _note_end(self, exchange: asyncio.Task[list[Any]]) -> None:
        self._busy.pop(exchange)
        self._show_children()

    def _show_children(self) -> None:
        POOL_CHILDREN.labels("busy").set(len(self._busy))
        POOL_CHILDREN.labels("idle").set(max(0, len(self._children) - len(self._busy)))

    async def _free_child(self) -> _Child:
        while (child := await self._free.get()) is not None:
            if not child.is_lost:  # of one that is, the replacement is on its way
                return child
        self._free.put_nowait(None)
        assert self._failure, "nothing but a failure ends the queue"
        raise self._failure

    async def _exchange(self, child: _Child, name: str, arguments: Sequence[Any]) -> list[Any]:
        try:
            results: list[Any] = await child.ask((name, arguments))
        except EOFError:
            status = await self._replace(child)
            raise self._loss_error(name, status) from None
        if child in self._outdated:
            self._outdated.discard(child)
            await self._replace(child)
        elif any(isinstance(result, OutOfMemory) for result in results):
            await self._replace(child)  # a fresh one has all of the memory that there is
        else:
            self._free.put_nowait(child)
        return results

    def _loss_error(self, name: str, status: int) -> LostChild:
        """The error of what a lost child had in hand; the loss is counted and logged."""
        if status == -signal.SIGALRM:
            DEADLINES.labels(name).inc()
            reason = f"{name} was not done after {self._settings.steps.deadline_s:g} s (steps.deadline_s)"
        else:
            LOST_CHILDREN.labels(name).inc()
            reason = f"the child that ran {name} ended with {_status_name(status)}"
        log.warning("a child of the pool was lost and is replaced", step=name, reason=reason)
        return LostChild(reason)

    async def _replace(self, child: _Child) -> int:
        """Start a child in the place of another; the exit status of that one.

        Raises:
            BrokenPool: the server died.
        """
        self._children.discard(child)
        self._outdated.discard(child)
        child.close()
        return await self._add_child(child.process_id)

    async def _add_child(self, replaced: int = 0) -> int:
        assert self._server, "it is started first"
        try:
            child, status = await self._server.fork(replaced, self._note_loss)
        except (EOFError, OSError) as gone:
            self._failure = BrokenPool("the pool's server died")
            self._free.put_nowait(None)
            raise self._failure from gone
        self._children.add(child)
        self._free.put_nowait(child)
        self._show_children()
        return status

    def _note_loss(self, child: _Child) -> None:
        """Replace a child that was lost while it had nothing to do."""
        if child in self._children and not self._is_stopping:
            replacing = asyncio.ensure_future(self._replace_idle(child))
            self._replacing.add(replacing)
            replacing.add_done_callback(self._replacing.discard)

    async def _replace_idle(self, child: _Child) -> None:
        try:
            status = await self._replace(child)
        except BrokenPool as broken:
            log.error("the pool is broken", reason=str(broken))  # noqa: TRY400 -- the next call raises it
            return
        LOST_CHILDREN.labels("idle").inc()
        reason = f"it ended with {_status_name(status)} while it had nothing to do"
        log.warning("a child of the pool was lost and is replaced", step="idle", reason=reason)

    async def _stop(self) -> None:
        self._is_stopping = True
        pending: set[asyncio.Task[Any]] = {*self._busy, *self._replacing}
        if pending:
            # one that is busy for longer already hangs: the runtime has waited for it, too
            youngest = max(self._busy.values(), default=time.monotonic())
            patience_s = max(0.0, youngest + STOP_TIMEOUT_S - time.monotonic())
            _, pending = await asyncio.wait(pending, timeout=patience_s)
        if self._server and pending:
            self._server.kill()
        for child in self._children:
            child.close()
        await asyncio.gather(*pending, return_exceptions=True)  # they hear of the server's end by its socket
        if self._server:
            await self._server.close()


class _Child(asyncio.Protocol):
    """The socket to a child: one question, one answer."""

    def __init__(self, process_id: int, note_loss: Callable[[_Child], None]) -> None:
        """`note_loss` is called where the child ends by itself and nobody waits for an answer."""
        self.process_id = process_id
        self.is_lost = False
        self._note_loss = note_loss
        self._is_closed = False
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._answer: asyncio.Future[Any] | None = None

    async def ask(self, question: object) -> Any:
        """Send a question and wait for its answer; EOFError where nobody is there any more."""
        if self.is_lost:
            raise EOFError
        assert self._transport, "it is connected first"
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.writelines(pack_frame(question))
        return await self._answer

    def close(self) -> None:
        """Hang up: a child ends when it hears that."""
        self._is_closed = True
        if self._transport:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take in a piece of the answer."""
        self._received += data
        if len(self._received) < FRAME_LENGTH.size:
            return
        (length,) = FRAME_LENGTH.unpack_from(self._received)
        if len(self._received) == FRAME_LENGTH.size + length:
            answer, self._received = memoryview(self._received)[FRAME_LENGTH.size :], bytearray()
            if self._answer and not self._answer.done():
                self._answer.set_result(pickle.loads(answer))  # noqa: S301 -- our own child wrote it

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 -- the protocol's signature
        """Tell whoever waits."""
        self.is_lost = True
        if self._answer and not self._answer.done():
            self._answer.set_exception(EOFError())
        elif not self._is_closed:
            self._note_loss(self)


class _Server:
    """The process that forks the children, and the socket to it."""

    def __init__(self, process: subprocess.Popen[bytes], control: socket.socket) -> None:
        """Both are this object's from now on."""
        self._process, self._control = process, control
        self._asking = asyncio.Lock()

    @classmethod
    async def start(cls, loads: object) -> Self:
        """Start it, and wait until it has loaded what children need; raise what loading raised.

        It is started from the loop's own thread: its death signal is tied to the thread that starts it.
        """
        ours, theirs = socket.socketpair()
        ours.settimeout(0)
        with theirs:
            server = cls(_start_process(theirs.fileno()), ours)
        try:
            await asyncio.get_running_loop().sock_sendall(ours, b"".join(pack_frame(loads)))
            error = await server._answer()
        except (EOFError, OSError) as gone:
            await server.close()
            raise BrokenPool("the pool's server died while it loaded the steps") from gone
        except BaseException:
            server.kill()
            await server.close()
            raise
        if error is not None:
            await server.close()
            raise error
        return server

    async def fork(self, replaced: int, note_loss: Callable[[_Child], None]) -> tuple[_Child, int]:
        """A new child, and the exit status of the one that it replaces (0: none); EOFError or OSError: the server died."""
        ours, theirs = socket.socketpair()
        ours.settimeout(0)
        try:
            async with self._asking:
                with theirs:
                    socket.send_fds(self._control, [FORK_REQUEST.pack(replaced)], [theirs.fileno()])
                process_id, status = await self._answer()
        except BaseException:
            ours.close()
            raise
        loop = asyncio.get_running_loop()
        _, child = await loop.create_connection(lambda: _Child(process_id, note_loss), sock=ours)
        return child, status

    async def renew(self, name: str) -> BaseException | None:
        """Let it load a step anew; the error where it could not. EOFError or OSError: the server died."""
        async with self._asking:
            question = FORK_REQUEST.pack(RENEW_REQUEST) + b"".join(pack_frame(name))
            await asyncio.get_running_loop().sock_sendall(self._control, question)
            error: BaseException | None = await self._answer()
            return error

    def kill(self) -> None:
        """End it now, and all children with it."""
        self._process.kill()

    async def close(self) -> None:
        """Hang up, upon which it ends, and all children with it; return when it has ended."""
        self._control.close()
        await asyncio.to_thread(self._process.wait)

    async def _answer(self) -> Any:
        (length,) = FRAME_LENGTH.unpack(await self._receive_bytes(FRAME_LENGTH.size))
        return pickle.loads(await self._receive_bytes(length))  # noqa: S301 -- our own server wrote it

    async def _receive_bytes(self, count: int) -> bytes:
        received = bytearray()
        while len(received) < count:
            piece = await asyncio.get_running_loop().sock_recv(self._control, count - len(received))
            if not piece:
                raise EOFError
            received += piece
        return bytes(received)


def _start_process(control_number: int) -> subprocess.Popen[bytes]:
    """Start ``python -m streams.pool_server PID NUMBER``."""
    return subprocess.Popen(
        [sys.executable, "-m", "streams.pool_server", str(os.getpid()), str(control_number)],
        pass_fds=[control_number],
        env={**os.environ, **ONE_THREAD, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdin=subprocess.DEVNULL,
    )


def _status_name(status: int) -> str:
    """An exit status in words: ``SIGKILL``, ``status 1``."""
    return signal.Signals(-status).name if status < 0 else f"status {status}"
