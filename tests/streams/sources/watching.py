"""Sources that are watched over the in-memory log, quick enough for tests."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec.structs import replace

from config.settings import Poll
from streams.pollers.state import FeedState, unpack_state
from streams.sources.declaration import SourceEntry, load_sources
from streams.sources.watch import SourceWatch
from tests.streams.pollers.conftest import MemoryLog

WAIT_S = 60.0


def settings(**changed: object) -> Poll:
    quick = Poll(
        max_backoff_s=0.3, connect_timeout_s=5.0, read_timeout_s=5.0, max_body_bytes=2_000_000,
        allowed_addresses=("127.0.0.1",),
    )  # fmt: skip
    return replace(quick, **changed)


def write_list(folder: Path, table: str, name: str = "wire", **common: object) -> Path:
    """A list of one source: what an operator writes, with an interval for tests."""
    path = folder / "sources.toml"
    values = {"interval_s": 0.05, **common}
    lines = "".join(
        f"{key} = {str(value).lower() if isinstance(value, bool) else value!r}\n"
        for key, value in values.items()
    )
    path.write_text(f"[sources.{name}]\n{lines}{table}", "utf-8")
    return path


def entry_of(folder: Path, table: str, name: str = "wire", **common: object) -> SourceEntry:
    [entry] = load_sources(str(write_list(folder, table, name, **common)))
    return entry


@asynccontextmanager
async def watching(
    log: MemoryLog, *entries: SourceEntry, told: Poll | None = None, clock: Callable[[], float] | None = None
) -> AsyncIterator[None]:
    """A watch over sources that runs within the block."""
    stop = asyncio.Event()
    watch = SourceWatch(entries, told or settings(), log, clock=clock or _now, random=lambda: 0.5, stop=stop)
    running = asyncio.create_task(watch.run())
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(running, WAIT_S)


def state_of(log: MemoryLog, name: str = "wire") -> FeedState:
    return unpack_state(log.states.get(name, b""))


async def until(log: MemoryLog, what: Callable[[], bool]) -> None:
    await log.until(what, WAIT_S)


def set_secrets(secrets: dict[str, str]) -> None:
    os.environ.update(secrets)


def _now() -> float:
    import time

    return time.time()
