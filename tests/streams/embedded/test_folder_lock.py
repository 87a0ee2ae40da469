"""One process runs on a data folder; a second one waits for the first to end, then says who has it."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from config import Misconfigured
from streams.embedded.data_file import DATABASE, open_data_file
from streams.embedded.folder_lock import LOCK_FILE, FolderLock, find_holder

HOLDER = """
import asyncio, sys
from pathlib import Path
from streams.embedded.folder_lock import FolderLock

async def main():
    async with FolderLock(Path(sys.argv[1])):
        print("held", flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_a_second_process_is_told_who_has_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.embedded.folder_lock.HANDOVER_TIMEOUT_S", 0.2)
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        where = rf"process {holder.pid} on {socket.gethostname()} \(since 20..-..-..T.*Z\)"
        with pytest.raises(Misconfigured, match=f"{where} runs on this data folder already"):
            await FolderLock(tmp_path).__aenter__()
        holder.kill()
        holder.wait()
        assert find_holder(tmp_path) is None
        async with FolderLock(tmp_path, "/etc/feeds.toml"):  # whatever ended the holder
            found = find_holder(tmp_path)
            assert found
            assert (found.pid, found.feeds) == (os.getpid(), "/etc/feeds.toml")


async def test_a_holder_of_another_version_is_told_without_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.embedded.folder_lock.HANDOVER_TIMEOUT_S", 0.0)
    async with FolderLock(tmp_path):
        (tmp_path / LOCK_FILE).write_text("4711\n")
        with pytest.raises(Misconfigured, match="another process runs on this data folder already"):
            await FolderLock(tmp_path).__aenter__()


async def test_a_restart_that_overlaps_waits_for_the_one_before(tmp_path: Path) -> None:
    first = FolderLock(tmp_path)
    await first.__aenter__()
    second = asyncio.ensure_future(FolderLock(tmp_path).__aenter__())
    await asyncio.sleep(0.05)
    assert not second.done()
    await first.__aexit__()
    await (await second).__aexit__()


async def test_a_lock_that_is_a_link_to_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "passwords").write_text("secret")
    (tmp_path / LOCK_FILE).symlink_to(tmp_path / "passwords")
    with pytest.raises(Misconfigured):
        await FolderLock(tmp_path).__aenter__()
    assert (tmp_path / "passwords").read_text() == "secret"


def test_a_new_folder_and_its_files_are_for_this_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / DATABASE
    connection = open_data_file(path)
    connection.execute("INSERT INTO topics VALUES ('a', 1)")
    rights = {inner.name: stat.S_IMODE(inner.stat().st_mode) for inner in path.parent.iterdir()}
    assert rights == {DATABASE: 0o600, f"{DATABASE}-wal": 0o600, f"{DATABASE}-shm": 0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    connection.close()


@pytest.mark.parametrize(
    ("before", "after"), [(0o644, 0o640), (0o666, 0o660), (0o640, 0o640), (0o600, 0o600)]
)
def test_others_lose_their_rights_to_a_file_of_an_older_version(
    tmp_path: Path, before: int, after: int
) -> None:
    path = tmp_path / DATABASE
    open_data_file(path).close()
    path.chmod(before)
    open_data_file(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == after
