"""Full disks, a damaged or read-only file, and a second process: waited for where the world can heal, else one line."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from processors.model.event import RawItem
from streams.embedded.data_file import DATABASE
from streams.embedded.log import Log
from streams.messages import raw_message
from streams.topology import RAW
from tests.acceptance.conftest import free_port
from tests.acceptance.test_run import at_least, events, lines, running, says, settings, until
from tests.invented import line

pytestmark = pytest.mark.acceptance
STORIES = 40
Resize = Callable[[str], None]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[tuple[Path, Resize]]:
    """A file system of a few kilobytes, and how to make it larger."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this user may not mount a file system")

    def resize(size: str) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size}", str(disk)], check=True)

    yield disk, resize
    subprocess.run(["umount", "-l", str(disk)], check=True)


def command_with(wiredesk: str, tmp_path: Path, data: Path, written: Path) -> list[str]:
    drop = tmp_path / "drop"
    drop.mkdir()
    for number in range(STORIES):
        (drop / f"{number:05}.json").write_bytes(line(number, 100))
    text = f'[poll]\ndrop_folder = "{drop}"\ndrop_interval_s = 0.1\n[embedded]\nbatch = 8\n'
    return [
        wiredesk, "run", "--no-feeds", "--data", str(data), "--events", str(written),
        "--config", str(settings(tmp_path, text)),
    ]  # fmt: skip


def readiness(port: int) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return error.read().decode()
    except OSError:
        return ""


def test_events_on_a_full_disk_are_waited_for_and_none_is_missing(
    wiredesk: str, tmp_path: Path, small_disk: tuple[Path, Resize]
) -> None:
    disk, resize = small_disk
    port, log = free_port(), tmp_path / "log"
    written = disk / "events.jsonl"
    command = command_with(wiredesk, tmp_path, tmp_path / "data", written)
    with running(*command, "--port", str(port), log=log) as process:
        until(says(log, b"waiting in place"), 90, process, log)
        until(lambda: str(written) in readiness(port), 30, process, log)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    with running(*command, "--port", str(port), log=log) as process:
        until(lambda: str(written) in readiness(port), 60, process, log)
        resize("20m")
        until(at_least(written, STORIES), 60, process, log)
    uris = [event["story"]["uri"] for event in events(written)]
    assert sorted(uris) == sorted(f"urn:invented:{number}" for number in range(STORIES))
    assert all(json.loads(whole) for whole in lines(written))
    assert b"Traceback" not in log.read_bytes()


def test_a_stop_on_a_full_disk_is_heard_and_the_next_start_goes_on(
    wiredesk: str, tmp_path: Path, small_disk: tuple[Path, Resize]
) -> None:
    disk, resize = small_disk
    resize("900k")
    log, written = tmp_path / "log", tmp_path / "events.jsonl"
    command = [*command_with(wiredesk, tmp_path, disk / "data", written), "--no-desk"]
    with running(*command, log=log) as process:
        until(says(log, b"the database can't be written; waiting"), 90, process, log)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert time.monotonic() - began < 20
    resize("50m")
    with running(*command, log=log) as process:
        until(at_least(written, STORIES), 90, process, log)
    assert sorted(event["story"]["uri"] for event in events(written)) == sorted(
        f"urn:invented:{number}" for number in range(STORIES)
    )
    assert b"Traceback" not in log.read_bytes()


def test_a_second_run_on_a_data_folder_is_refused_in_one_line(wiredesk: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = [wiredesk, "run", "--no-feeds", "--no-desk", "--data", str(tmp_path / "data")]
    with running(*command, log=log) as process:
        until(says(log, b"wiredesk runs"), 60, process, log)
        second = subprocess.run(command, capture_output=True, timeout=60, check=False)
        assert second.returncode == 2
        told = second.stderr.decode()
        assert f"process {process.pid} on " in told
        assert "runs on this data folder already" in told
        assert b"Traceback" not in second.stderr
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert all(not path.stat().st_mode & 0o077 for path in (tmp_path / "data").iterdir())


def test_a_page_that_is_damaged_ends_the_run_with_one_line(wiredesk: str, tmp_path: Path) -> None:
    path = tmp_path / "data" / DATABASE
    log = Log(path)
    items = [RawItem(line(n, 400), "2026-11-20T12:00:00Z", feed="f") for n in range(200)]
    log.append([raw_message(item, RAW.name) for item in items])
    log.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    log.close()
    size = path.stat().st_size
    with path.open("r+b") as stream:
        stream.seek(size // 2 // 4096 * 4096)
        stream.write(b"\xff" * 4096 * 8)
    command = [wiredesk, "run", "--no-feeds", "--no-desk", "--data", str(path.parent)]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert done.returncode == 2
    assert b"damaged" in done.stderr.splitlines()[-1]
    assert b"Traceback" not in done.stderr
