"""A running ``wiredesk run`` that gets hostile documents from feeds, by push and from its drop folder, in turn."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
import orjson

from tests.servers.http import publishing
from tests.servers.process import free_ports

FEEDS: Final = 15
TOKEN: Final = "a token of the corpus"
BEARER: Final = {"Authorization": f"Bearer {TOKEN}"}
LOOK_S: Final = 0.2
QUIET_LOOKS: Final = 15  # without anything that waits, after which all is done
STOP_S: Final = 60.0
EMPTY_FEED: Final = b'<rss version="2.0"><channel><title>Hill</title></channel></rss>'


@dataclass(slots=True)
class RunFigures:
    """What was seen of the run."""

    documents: int = 0
    bytes: int = 0
    seconds: float = 0.0
    livez_s: float = 0.0
    page_s: float = 0.0
    failures: int = 0
    memory_mb: float = 0.0
    disk_bytes: int = 0
    left: dict[str, int] = field(default_factory=dict)
    dead_letters: int | None = None
    stories: int = 0
    log_bytes: int = 0
    tracebacks: int = 0
    status: int | None = None

    @property
    def ended_well(self) -> bool:
        """Whether everything was worked off without an error of ours, and the process ended when it was asked to."""
        return self.status == 0 and not self.failures and not self.tracebacks and not any(self.left.values())

    def lines(self) -> Iterator[str]:
        """The table."""
        yield f"run: {self.documents} documents, {self.bytes / 1e6:.1f} MB, in {self.seconds:.0f} s"
        yield f"/livez at most {self.livez_s:.2f} s, the page {self.page_s:.2f} s, {self.failures} failures"
        yield f"memory {self.memory_mb:.0f} MB (all processes, shared pages once), disk {self.disk_bytes / 1e6:.0f} MB, {self.disk_bytes / max(1, self.bytes):.1f} times the input"
        yield f"{self.stories} stories; dead letters {self.dead_letters}; left {self.left}"
        yield f"log {self.log_bytes / 1000:.0f} kB, {self.tracebacks} tracebacks; status {self.status}"


async def run_wiredesk(bodies: Sequence[bytes], minutes: float = 60.0) -> RunFigures:
    """Send all documents, wait until all are worked off, and end the process."""
    figures = RunFigures(len(bodies), sum(map(len, bodies)))
    with tempfile.TemporaryDirectory() as name:
        await _run(Path(name), bodies, figures, minutes * 60)
    return figures


async def _run(folder: Path, bodies: Sequence[bytes], figures: RunFigures, limit_s: float) -> None:
    desk, push = free_ports(2)
    served, pushed, dropped = bodies[::3], bodies[1::3], bodies[2::3]
    feeds = _Feeds(served)
    drop, log = folder / "drop", folder / "run.log"
    drop.mkdir()
    with publishing(feeds.answer) as port:
        (folder / "feeds.toml").write_text(
            "".join(f'[[feeds]]\nid = "f{n}"\nurl = "http://127.0.0.1:{port}/{n}"\n' for n in range(FEEDS)),
            "utf-8",
        )
        environment = {
            **os.environ, "WIREDESK_POLL_FEEDS": str(folder / "feeds.toml"), "WIREDESK_POLL_HOST_DELAY_S": "0",
            "WIREDESK_POLL_MIN_INTERVAL_S": "1", "WIREDESK_POLL_MAX_INTERVAL_S": "1", "WIREDESK_POLL_FIRST_INTERVAL_S": "1",
            "WIREDESK_POLL_MAX_BACKOFF_S": "1", "WIREDESK_POLL_ALLOWED_ADDRESSES": f"127.0.0.1:{port}",
            "WIREDESK_POLL_DROP_FOLDER": str(drop), "WIREDESK_POLL_DROP_INTERVAL_S": "0.5", "WIREDESK_DESK_TOKEN": TOKEN,
            "WIREDESK_PUSH_PORT": str(push), "WIREDESK_PUSH_TOKEN": TOKEN,
        }  # fmt: skip
        command = [
            str(Path(sys.prefix) / "bin" / "wiredesk"),
            "run",
            "--data",
            str(folder / "data"),
            "--port",
            str(desk),
        ]
        with log.open("wb") as stream:
            process = await asyncio.create_subprocess_exec(*command, stderr=stream, env=environment)
        try:
            async with aiohttp.ClientSession(f"http://127.0.0.1:{desk}", headers=BEARER) as session:
                await _until_up(session, process)
                began = time.monotonic()
                sending = [
                    asyncio.create_task(_push_all(f"http://127.0.0.1:{push}", pushed, figures)),
                    asyncio.create_task(_drop_all(drop, dropped)),
                ]
                async with asyncio.timeout(limit_s):
                    await _watch(session, process, figures, folder / "data", drop, feeds, sending)
                figures.seconds = time.monotonic() - began
                figures.stories = len((await _ask(session, "/api/stories?limit=200", figures))["stories"])
        finally:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            try:
                figures.status = await asyncio.wait_for(process.wait(), STOP_S)
            except TimeoutError:
                process.kill()
    text = log.read_bytes()
    figures.log_bytes, figures.tracebacks = len(text), text.count(b"Traceback (most")


class _Feeds:
    """Feeds that each show another document at each look."""

    def __init__(self, bodies: Sequence[bytes]) -> None:
        self._lock = threading.Lock()
        self._waiting = [deque(bodies[number::FEEDS]) for number in range(FEEDS)]

    def answer(self, asked: Any) -> tuple[bytes, dict[str, str]]:
        path = asked[0]
        if not path.isdecimal():
            return b"", {}  # robots.txt
        with self._lock:
            waiting = self._waiting[int(path)]
            body = waiting.popleft() if waiting else EMPTY_FEED
        return body, {"Content-Type": "application/xml"}

    @property
    def count(self) -> int:
        """How many documents were not asked for yet."""
        return sum(map(len, self._waiting))


async def _push_all(base: str, bodies: Sequence[bytes], figures: RunFigures) -> None:
    async with aiohttp.ClientSession(base, headers=BEARER) as session:
        for body in bodies:
            while True:
                async with session.post("/push?feed=hill", data=body) as answer:
                    if answer.status != 503:
                        break
                await asyncio.sleep(LOOK_S)
            figures.failures += answer.status not in {202, 400}


async def _drop_all(drop: Path, bodies: Sequence[bytes]) -> None:
    for number, body in enumerate(bodies):
        (drop / f".{number}").write_bytes(body)
        (drop / f".{number}").rename(drop / f"{number}.txt")
        if number % 20 == 0:
            await asyncio.sleep(LOOK_S)


async def _until_up(session: aiohttp.ClientSession, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(120):
        while process.returncode is None:
            with suppress(aiohttp.ClientError, OSError):
                async with session.get("/livez") as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(LOOK_S)
    raise RuntimeError("wiredesk run did not start")


async def _watch(
    session: aiohttp.ClientSession, process: asyncio.subprocess.Process, figures: RunFigures, data: Path, drop: Path,
    feeds: _Feeds, sending: Sequence[asyncio.Task[None]],
) -> None:  # fmt: skip
    """Look at the process until nothing waits any more."""
    quiet = 0
    for look in itertools.count():
        if process.returncode is not None:
            raise RuntimeError(f"wiredesk run ended with status {process.returncode}")
        began = time.monotonic()
        await _ask(session, "/livez", figures)
        figures.livez_s = max(figures.livez_s, time.monotonic() - began)
        figures.memory_mb = max(figures.memory_mb, _memory_mb(process.pid))
        if look % 5 == 0:
            began = time.monotonic()
            await _ask(session, "/", figures)
            figures.page_s = max(figures.page_s, time.monotonic() - began)
            figures.disk_bytes = max(figures.disk_bytes, _disk_bytes(data))
            state = await _ask(session, "/api/pipeline", figures)
            left = {step["step"]: int(step["records"]) for step in state["steps"]}
            figures.left = left | {"feeds": feeds.count, "files": sum(1 for _ in drop.glob("*.txt"))}
            figures.dead_letters = state["deadLetters"]
            if look % 250 == 0:
                print(
                    f"{figures.left}, {figures.memory_mb:.0f} MB, {figures.disk_bytes / 1e6:.0f} MB",
                    flush=True,
                )
        is_quiet = not any(figures.left.values()) and all(task.done() for task in sending)
        quiet = quiet + 1 if is_quiet else 0
        if quiet > QUIET_LOOKS:
            break
        await asyncio.sleep(LOOK_S)
    await asyncio.gather(*sending)


async def _ask(session: aiohttp.ClientSession, path: str, figures: RunFigures) -> Any:
    async with session.get(path) as answer:
        figures.failures += answer.status != 200
        body = await answer.read()
        return orjson.loads(body) if answer.content_type == "application/json" else None


def _memory_mb(pid: int) -> float:
    """What a process and its children have in memory, a shared page once."""
    total, waiting = 0, [pid]
    while waiting:
        each = waiting.pop()
        with suppress(OSError):
            rollup = Path(f"/proc/{each}/smaps_rollup").read_text("utf-8")
            total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
            for task in Path(f"/proc/{each}/task").iterdir():
                waiting += map(int, (task / "children").read_text("utf-8").split())
    return total / 1024


def _disk_bytes(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.stat().st_blocks * 512
    return total
