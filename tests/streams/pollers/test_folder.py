"""Files that are dropped into the folder are taken once, whatever happens in between."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config import Misconfigured
from config.settings import Poll
from processors.errors import Unreachable
from streams.pollers.folder import DropFolder, watch_folder
from tests.streams.pollers.conftest import MemoryLog


async def once(attempt: Callable[[], Awaitable[None]]) -> None:
    await attempt()


def folder(path: Path, log: MemoryLog, limit: int = 1000) -> DropFolder:
    return DropFolder(Poll(drop_folder=str(path), max_body_bytes=limit), log)


async def test_a_file_is_one_raw_item_and_moves_to_done(tmp_path: Path, log: MemoryLog) -> None:
    dropped = folder(tmp_path, log)
    (tmp_path / "dispatch.txt").write_bytes(b"Vigo, Feb 2 (INV).- The ferry runs.")
    assert await dropped.scan(once) == 1
    item = log.items[0]
    assert (item.payload, item.feed, item.input) == (b"Vigo, Feb 2 (INV).- The ferry runs.", "drop", None)
    assert (item.url, item.media_type) == ("file:dispatch.txt", "text/plain")
    assert [path.name for path in (tmp_path / "done").iterdir()] == ["dispatch.txt"]
    assert await dropped.scan(once) == 0


async def test_an_over_large_file_is_a_dead_letter_and_lies_in_failed_beside_a_note(
    tmp_path: Path, log: MemoryLog
) -> None:
    dropped = folder(tmp_path, log, limit=10)
    (tmp_path / "long.txt").write_bytes(b"x" * 11)
    (tmp_path / "empty.txt").write_bytes(b"")
    await dropped.scan(once)
    assert [error.type for _, error in log.rejected] == ["Empty", "TooLarge"]
    assert "over the 10" in (tmp_path / "failed" / "long.txt.error.txt").read_text()
    assert sorted(path.name for path in (tmp_path / "failed").iterdir()) == [
        "empty.txt", "empty.txt.error.txt", "long.txt", "long.txt.error.txt",
    ]  # fmt: skip


async def test_files_that_are_still_written_are_left_alone(tmp_path: Path, log: MemoryLog) -> None:
    dropped = folder(tmp_path, log)
    for name in (".hidden", "a.tmp", "b.part"):
        (tmp_path / name).write_bytes(b"half")
    assert await dropped.scan(once) == 0


async def test_a_file_that_cannot_be_read_is_set_aside_and_the_next_is_taken(
    tmp_path: Path, log: MemoryLog
) -> None:
    dropped = folder(tmp_path, log)
    (tmp_path / "a.txt").symlink_to("/proc/self/mem")  # opens, but even root can't read its beginning
    (tmp_path / "b.txt").write_bytes(b"Ferry")
    (tmp_path / ".claimed" / "gone.txt").symlink_to(tmp_path / "nowhere")
    assert await dropped.scan(once) == 3
    assert [error.type for _, error in log.rejected] == ["Unreadable", "Unreadable"]
    assert [item.payload for item in log.items] == [b"Ferry"]
    assert sorted(path.name for path in (tmp_path / "failed").iterdir()) == [
        "a.txt", "a.txt.error.txt", "gone.txt", "gone.txt.error.txt",
    ]  # fmt: skip
    assert "symbolic link to nothing" in (tmp_path / "failed" / "gone.txt.error.txt").read_text()
    assert await dropped.scan(once) == 0


async def test_a_name_of_any_bytes_is_taken_in(tmp_path: Path, log: MemoryLog) -> None:
    dropped = folder(tmp_path, log)
    for name in (b"/caf\xe9.txt", b"/vid\xe9.txt"):
        Path(os.fsdecode(os.fsencode(tmp_path) + name)).write_bytes(b"Ferry" if b"caf" in name else b"")
    assert await dropped.scan(once) == 2
    assert [item.url for item in log.items] == ["file:caf%E9.txt"]
    assert [str(error) for _, error in log.rejected] == [
        "vid\\xe9.txt: nothing in it; check the program that wrote it"
    ]


async def test_two_files_of_one_name_are_both_kept(tmp_path: Path, log: MemoryLog) -> None:
    dropped = folder(tmp_path, log)
    for text in (b"one", b"two"):
        (tmp_path / "a.txt").write_bytes(text)
        await dropped.scan(once)
    assert sorted(path.name for path in (tmp_path / "done").iterdir()) == ["a-2.txt", "a.txt"]
    assert [item.payload for item in log.items] == [b"one", b"two"]


async def test_a_claim_that_a_crash_left_is_the_same_raw_item_again(tmp_path: Path, log: MemoryLog) -> None:
    log.refuse = 1
    (tmp_path / "a.txt").write_bytes(b"one")
    with pytest.raises(Unreachable):
        await folder(tmp_path, log).scan(once)
    assert [path.name for path in (tmp_path / ".claimed").iterdir()] == ["a.txt"]
    claimed_at = (tmp_path / ".claimed" / "a.txt").stat().st_ctime
    assert await folder(tmp_path, log).scan(once) == 1
    claimed = datetime.fromtimestamp(claimed_at, UTC)
    assert log.items[0].received.startswith(claimed.isoformat()[:19])


async def test_a_file_in_another_pollers_hands_is_left_to_it(tmp_path: Path, log: MemoryLog) -> None:
    dropped = folder(tmp_path, log)
    claim = tmp_path / ".claimed" / "a.txt"
    claim.write_bytes(b"one")
    with claim.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert await dropped.scan(once) == 0
    assert await dropped.scan(once) == 1


async def test_watching_takes_files_until_the_stop(tmp_path: Path, log: MemoryLog) -> None:
    stop = asyncio.Event()
    watching = asyncio.create_task(watch_folder(folder(tmp_path, log), 0.01, once, stop))
    (tmp_path / "a.txt").write_bytes(b"one")
    await log.until(lambda: len(log.items) == 1)
    stop.set()
    await asyncio.wait_for(watching, 5)


def test_a_folder_that_cant_be_made_is_named(tmp_path: Path, log: MemoryLog) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Misconfigured, match="drop_folder"):
        folder(tmp_path / "file" / "in", log)
