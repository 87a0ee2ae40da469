"""Files that are dropped into the folder are taken once, whatever happens in between."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import socket
import stat
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from structlog.testing import capture_logs

from config import Misconfigured
from config.settings import Poll
from processors.errors import Unreachable
from streams.pollers.folder import MAX_REJECTED_BYTES, DropFolder, watch_folder
from tests.streams.pollers.conftest import MemoryLog


async def once(attempt: Callable[[], Awaitable[None]]) -> None:
    await attempt()


def folder(path: Path, log: MemoryLog, limit: int = 1000) -> DropFolder:
    return DropFolder(Poll(drop_folder=str(path), max_body_bytes=limit), log)


def failed(path: Path) -> list[str]:
    return sorted(inner.name for inner in (path / "failed").iterdir())


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


async def test_a_link_is_set_aside_unread_and_the_next_file_is_taken(tmp_path: Path, log: MemoryLog) -> None:
    """Whoever may write into the folder would read with our rights what he may not."""
    secret = tmp_path.parent / "secret.txt"
    secret.write_bytes(b"PORT ALDER - Nobody but the operator may read this.")
    drop = tmp_path / "drop"
    dropped = folder(drop, log)
    (drop / "a.txt").symlink_to(secret)
    (drop / "b.txt").write_bytes(b"Ferry")
    (drop / ".claimed" / "gone.txt").symlink_to(tmp_path / "nowhere")
    assert await dropped.scan(once) == 3
    assert [(error.type, item.payload) for item, error in log.rejected] == [("Unreadable", b"")] * 2
    assert [item.payload for item in log.items] == [b"Ferry"]
    assert failed(drop) == ["a.txt", "a.txt.error.txt", "gone.txt", "gone.txt.error.txt"]
    assert "a symbolic link" in (drop / "failed" / "gone.txt.error.txt").read_text()
    assert await dropped.scan(once) == 0


async def test_another_name_of_a_file_elsewhere_is_set_aside_unread(tmp_path: Path, log: MemoryLog) -> None:
    secret = tmp_path.parent / "secret.txt"
    secret.write_bytes(b"PORT ALDER - Nobody but the operator may read this.")
    drop = tmp_path / "drop"
    dropped = folder(drop, log)
    os.link(secret, drop / "a.txt")
    assert await dropped.scan(once) == 0, "a writer that links and unlinks has a moment"
    assert await dropped.scan(once) == 1
    assert [(error.type, item.payload) for item, error in log.rejected] == [("Unreadable", b"")]
    os.link(secret, drop / "b.txt")
    assert await dropped.scan(once) == 1
    assert log.items == []


async def test_a_file_that_its_writer_links_and_unlinks_is_taken(tmp_path: Path, log: MemoryLog) -> None:
    dropped = folder(tmp_path, log)
    (tmp_path / ".a.new").write_bytes(b"Ferry")
    os.link(tmp_path / ".a.new", tmp_path / "a.txt")
    await dropped.scan(once)
    (tmp_path / ".a.new").unlink()
    assert await dropped.scan(once) == 1
    assert [item.payload for item in log.items] == [b"Ferry"]


def make_special(path: Path, kind: str) -> None:
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(path))
    else:
        try:
            os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 5))  # /dev/zero, which never ends
        except PermissionError:
            pytest.skip("only root makes devices")


@pytest.mark.parametrize("kind", ["pipe", "folder", "socket", "device"])
async def test_what_is_no_file_is_never_opened(tmp_path: Path, log: MemoryLog, kind: str) -> None:
    """Neither where it waits nor where a claim is that a crash left, or that was swapped."""
    dropped = folder(tmp_path, log)
    make_special(tmp_path / "a.txt", kind)
    make_special(tmp_path / ".claimed" / "b.txt", kind)
    (tmp_path / "c.txt").write_bytes(b"Ferry")
    assert await asyncio.wait_for(dropped.scan(once), 10) == 2
    assert [item.payload for item in log.items] == [b"Ferry"]
    assert (tmp_path / "a.txt").exists(), "it is left to whoever made it"
    assert failed(tmp_path) == ["b.txt", "b.txt.error.txt"]


async def test_a_file_that_is_swapped_for_a_pipe_blocks_nobody(
    tmp_path: Path, log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    dropped = folder(tmp_path, log)
    (tmp_path / ".claimed" / "a.txt").write_bytes(b"Ferry")
    opened = os.open

    def swapping(path: str, flags: int, *rest: int, dir_fd: int | None = None) -> int:
        if path == "a.txt":
            os.unlink(path, dir_fd=dir_fd)
            os.mkfifo(path, dir_fd=dir_fd)
        return opened(path, flags, *rest, dir_fd=dir_fd)

    monkeypatch.setattr("streams.pollers.folder.os.open", swapping)
    assert await asyncio.wait_for(dropped.scan(once), 10) == 1
    assert [error.type for _, error in log.rejected] == ["Unreadable"]


@pytest.mark.parametrize("name", ["n" * 250, "n" * 251 + ".txt", "é" * 125 + ".txt", "x." + "y" * 253])
async def test_a_name_has_room_for_a_number_and_a_note(tmp_path: Path, log: MemoryLog, name: str) -> None:
    dropped = folder(tmp_path, log)
    for text in (b"", b"", b"one", b"two"):
        (tmp_path / name).write_bytes(text)
        assert await dropped.scan(once) == 1
    assert len(failed(tmp_path)) == 4
    done = [path.name for path in (tmp_path / "done").iterdir()]
    assert [other[:100] for other in done] == [name[:100]] * 2
    assert [item.url for item in log.items] == [f"file:{quote(name)}"] * 2


@pytest.mark.parametrize(
    "name", ["a\nb.txt", "a\x1b[31m.txt", "\udcff\udcfe.txt", "-rf", "a b\u202e.txt", "*?%2e"]
)
async def test_an_odd_name_breaks_no_line_of_the_log(tmp_path: Path, log: MemoryLog, name: str) -> None:
    dropped = folder(tmp_path, log)
    (tmp_path / name).write_bytes(b"")
    with capture_logs() as lines:
        assert await dropped.scan(once) == 1
    assert all(line["file"].isprintable() for line in lines)
    assert all(str(error).isprintable() for _, error in log.rejected)
    assert len(failed(tmp_path)) == 2


async def test_a_sparse_file_of_100_gigabytes_costs_what_the_limit_allows(
    tmp_path: Path, log: MemoryLog
) -> None:
    dropped = folder(tmp_path, log, limit=1_000_000)
    with (tmp_path / "a.txt").open("wb") as stream:
        stream.truncate(100 * 10**9)
    assert await dropped.scan(once) == 1
    [(item, error)] = log.rejected
    assert len(item.payload) == MAX_REJECTED_BYTES
    assert "100000000000 bytes" in str(error)


async def test_a_file_that_grows_is_read_once_it_stands_still(tmp_path: Path, log: MemoryLog) -> None:
    dropped = folder(tmp_path, log)
    with (tmp_path / "a.txt").open("wb", buffering=0) as writer:
        writer.write(b"Ferry ")
        read = os.read

        def growing(number: int, count: int) -> bytes:
            piece = read(number, count)
            if piece:
                writer.write(b"sails")
            return piece[:6]

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("streams.pollers.folder._read_bytes", lambda n, _: growing(n, 6))
            assert await dropped.scan(once) == 0
        assert log.items == []
    assert await dropped.scan(once) == 1
    assert [item.payload for item in log.items] == [b"Ferry sails"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")
async def test_a_file_that_may_not_be_moved_concerns_that_file(tmp_path: Path, log: MemoryLog) -> None:
    """Such as one of another user in a folder with the sticky bit, as /tmp is one."""
    dropped = folder(tmp_path, log)
    (tmp_path / "a.txt").write_bytes(b"one")
    (tmp_path / "b.txt").write_bytes(b"two")
    renamed = os.rename

    def sticky(source: str, target: str, **folders: int) -> None:
        if source == "a.txt":
            raise PermissionError(errno.EPERM, "Operation not permitted")
        renamed(source, target, **folders)

    with pytest.MonkeyPatch.context() as patched, capture_logs() as lines:
        patched.setattr("streams.pollers.folder.os.rename", sticky)
        assert await dropped.scan(once) == 1
        assert await dropped.scan(once) == 0
    assert [item.payload for item in log.items] == [b"two"]
    assert [line["file"] for line in lines if line["log_level"] == "warning"] == ["a.txt"], "it is said once"
    assert await dropped.scan(once) == 1, "once it may be moved it is taken"


async def test_a_file_that_was_taken_in_and_cannot_be_moved_away_is_not_taken_again(
    tmp_path: Path, log: MemoryLog
) -> None:
    dropped = folder(tmp_path, log)
    (tmp_path / "a.txt").write_bytes(b"one")
    renamed = os.rename

    def stuck(source: str, target: str, *, src_dir_fd: int, dst_dir_fd: int) -> None:
        if Path(f"/proc/self/fd/{dst_dir_fd}").readlink().name == "done":
            raise PermissionError(errno.EACCES, "Permission denied")
        renamed(source, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("streams.pollers.folder.os.rename", stuck)
        await dropped.scan(once)
        await dropped.scan(once)
    await dropped.scan(once)
    assert len(log.items) == 1
    assert [path.name for path in (tmp_path / "done").iterdir()] == ["a.txt"]


async def test_folders_that_vanish_are_made_again(tmp_path: Path, log: MemoryLog) -> None:
    dropped = folder(tmp_path, log)
    for name in (".claimed", "done", "failed"):
        (tmp_path / name).rmdir()
    (tmp_path / "a.txt").write_bytes(b"one")
    assert await dropped.scan(once) == 1
    assert (tmp_path / "done" / "a.txt").exists()


@pytest.mark.parametrize("how", ["away", "file", "link"])
async def test_a_folder_that_cannot_be_used_is_waited_for(tmp_path: Path, log: MemoryLog, how: str) -> None:
    drop, elsewhere = tmp_path / "drop", tmp_path / "elsewhere"
    dropped = folder(drop, log)
    reasons: list[str | None] = []
    stop = asyncio.Event()
    watching = asyncio.create_task(watch_folder(dropped, 0.01, once, stop, reasons.append))
    if how == "link":  # of another user, who would have us write elsewhere
        (drop / "failed").rmdir()
        (drop / "failed").symlink_to(tmp_path)
        try:
            os.lchown(drop / "failed", 65534, 65534)
        except PermissionError:
            pytest.skip("only root gives links to others")
    else:
        drop.rename(elsewhere)
        if how == "file":
            drop.write_bytes(b"")
    async with asyncio.timeout(10):
        while not reasons:
            await asyncio.sleep(0.01)
    assert str(drop) in (reasons[0] or "")
    assert not watching.done()
    if how == "link":
        (drop / "failed").unlink()
    else:
        drop.unlink(missing_ok=True)
        elsewhere.rename(drop)
    (drop / "a.txt").write_bytes(b"one")
    await log.until(lambda: len(log.items) == 1)
    async with asyncio.timeout(10):
        while len(reasons) < 2:
            await asyncio.sleep(0.01)
    assert reasons[1:] == [None]
    stop.set()
    await asyncio.wait_for(watching, 5)


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


async def test_a_stop_is_heard_between_two_files(tmp_path: Path, log: MemoryLog) -> None:
    dropped, stop = folder(tmp_path, log), asyncio.Event()
    for number in range(5):
        (tmp_path / f"{number}.txt").write_bytes(b"Ferry")

    async def stopping(attempt: Callable[[], Awaitable[None]]) -> None:
        await attempt()
        stop.set()

    assert await dropped.scan(stopping, stop) == 1
    assert await dropped.scan(once) == 4


ITEM = b'{"uri":"urn:x:%d","versionCreated":"2026-02-03T09:00:00Z","headlines":[{"role":"main","value":"Ferry %d"}]}'
UNREAD = {
    "nothing.json": (b'{"colour":"blue"}', "UnknownFormat"),
    "broken.json": (b'{"uri":"urn:x:1",\n"type":', "Malformed"),
    "lines.jsonl": (b'{"colour":"blue"}\n{"colour":"red"}\n', "UnknownFormat"),
    "page.xml": (b"<catalogue><book/></catalogue>", "UnknownFormat"),
    "archive.bin": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, "NotText"),
}


@pytest.mark.parametrize("name", UNREAD)
async def test_a_file_in_which_nothing_can_be_read_stands_in_failed(
    name: str, tmp_path: Path, log: MemoryLog
) -> None:
    payload, error = UNREAD[name]
    dropped = folder(tmp_path, log, limit=10_000)
    (tmp_path / name).write_bytes(payload)
    assert await dropped.scan(once) == 1
    assert [(item.payload, fault.type) for item, fault in log.rejected] == [(payload, error)]
    assert failed(tmp_path) == [name, f"{name}.error.txt"]
    assert (log.items, list((tmp_path / "done").iterdir())) == ([], [])


async def test_lines_of_items_one_of_which_is_torn_are_taken(tmp_path: Path, log: MemoryLog) -> None:
    dropped = folder(tmp_path, log, limit=10_000)
    (tmp_path / "a.jsonl").write_bytes(b"\n".join([ITEM % (1, 1), b'{"uri":', ITEM % (2, 2)]))
    assert await dropped.scan(once) == 1
    assert (len(log.items), log.rejected) == (1, [])
    assert [path.name for path in (tmp_path / "done").iterdir()] == ["a.jsonl"]
