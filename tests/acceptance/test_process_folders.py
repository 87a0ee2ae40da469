"""``wiredesk process`` over folders: everything below them once, in order, with one line a format at the end."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import orjson
import pytest

from config.files import CONFIG_FOLDER

pytestmark = pytest.mark.acceptance
SAMPLES = CONFIG_FOLDER / "samples"
FEEDS = Path(__file__).parents[2].parent / "shared" / "corpus" / "feeds"


def run(wiredesk: str, *arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[bytes]:
    command = [wiredesk, "process", "--steps", "normalise", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, timeout=90, check=False, **options)


def objects(told: bytes) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in told.splitlines()]


def inputs(told: bytes) -> list[str]:
    """The files that events came of, each once."""
    return list(dict.fromkeys(event["provenance"]["input"] for event in objects(told)))


def counted(stderr: bytes) -> dict[str, str]:
    """The lines of the summary, by format."""
    lines = [line for line in stderr.decode().splitlines() if not line.startswith("{")]
    return {line.split()[0]: " ".join(line.split()[1:]) for line in lines}


def test_a_folder_gives_what_its_files_give_in_their_order(wiredesk: str, tmp_path: Path) -> None:
    names = ["b/19-xinhua-tea.txt", "a.txt", "b/deep/01-efe-ferry.txt"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SAMPLES / "19-xinhua-tea.txt", tmp_path / name)
    (tmp_path / ".hidden.txt").write_text("hidden")
    by_folder = run(wiredesk, "--now", "2026-11-20", tmp_path)
    paths = [str(tmp_path / name) for name in sorted(names)]
    by_name = run(wiredesk, "--now", "2026-11-20", *paths)
    assert by_folder.stdout == by_name.stdout
    assert inputs(by_folder.stdout) == paths
    assert (by_folder.returncode, by_name.returncode, by_name.stderr) == (0, 0, b"")
    assert counted(by_folder.stderr)["total"] == "3 files, 3 items, 3 events"


def bad_folder(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "a-good.txt").write_bytes((SAMPLES / "19-xinhua-tea.txt").read_bytes())
    (folder / "b-empty.txt").write_bytes(b"")
    (folder / "c-picture.bin").write_bytes(bytes(range(256)) * 40)
    (folder / "d-page.html").write_bytes(b"<!DOCTYPE html><html><head><title>x</title></head></html>")
    (folder / "e-nowhere.txt").symlink_to(folder / "gone.txt")
    (folder / "f-unreadable.txt").symlink_to("/proc/self/mem")  # even root gets an error of input
    os.mkfifo(folder / "g-pipe")
    (folder / "h-again.txt").symlink_to(folder / "a-good.txt")
    (folder / "sub" / "loop").symlink_to(folder)
    (folder / "sub" / "z-good.txt").write_bytes((SAMPLES / "01-efe-ferry.txt").read_bytes())


REFUSED = {
    "b-empty.txt": "Empty",
    "c-picture.bin": "NotText",
    "d-page.html": "NotAFeed",
    "e-nowhere.txt": "Unreadable",
    "f-unreadable.txt": "Unreadable",
    "g-pipe": "Unreadable",
    "sub/loop": "Unreadable",
}


def test_bad_files_are_rejected_by_their_path_and_stop_no_other(wiredesk: str, tmp_path: Path) -> None:
    bad_folder(tmp_path)
    done = run(wiredesk, tmp_path)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert inputs(done.stdout) == [str(tmp_path / "a-good.txt"), str(tmp_path / "sub" / "z-good.txt")]
    errors = [orjson.loads(line) for line in done.stderr.splitlines() if line.startswith(b"{")]
    told = {os.path.relpath(error["input"], tmp_path): error["error"]["type"] for error in errors}
    assert told == REFUSED
    assert all(error["error"]["message"] for error in errors)
    lines = counted(done.stderr)
    assert lines["html"] == "1 file, 1 item, 0 events, 1 refused: 1 NotAFeed"
    assert "4 Unreadable" in lines["unknown"]
    assert lines["total"].startswith("9 files, 9 items, 2 events, 7 refused: 4 Unreadable")
    assert "not read twice: 1" in done.stderr.decode()


def test_the_summary_can_be_asked_for_and_left_out(wiredesk: str, tmp_path: Path) -> None:
    sample = SAMPLES / "19-xinhua-tea.txt"
    shutil.copy(sample, tmp_path)
    assert counted(run(wiredesk, "--summary", sample).stderr)["total"] == "1 file, 1 item, 1 event"
    assert run(wiredesk, "--no-summary", tmp_path).stderr == b""


def test_an_empty_folder_is_no_error(wiredesk: str, tmp_path: Path) -> None:
    done = run(wiredesk, tmp_path)
    assert (done.returncode, done.stdout) == (0, b"")
    assert counted(done.stderr) == {"total": "0 files, 0 items, 0 events"}


def test_a_run_never_reads_what_it_writes(wiredesk: str, tmp_path: Path) -> None:
    shutil.copy(SAMPLES / "19-xinhua-tea.txt", tmp_path / "x.txt")
    (tmp_path / "bad.jsonl").write_text("{\n")
    events, errors = tmp_path / "events.jsonl", tmp_path / "rejected.jsonl"
    command = [wiredesk, "process", "--steps", "normalise", "--errors", str(errors), str(tmp_path)]
    with events.open("wb") as output:
        done = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, timeout=90, check=False)
    assert done.returncode == 1
    assert inputs(events.read_bytes()) == [str(tmp_path / "x.txt")]
    assert [error["input"] for error in objects(errors.read_bytes())] == [str(tmp_path / "bad.jsonl")]
    with events.open("ab") as output:
        again = subprocess.run(
            [wiredesk, "process", str(events)], stdout=output, stderr=subprocess.PIPE, timeout=90, check=False
        )
    assert again.returncode == 2
    assert b"written by this run" in again.stderr


def test_names_of_any_bytes_are_read_and_told(wiredesk: str, tmp_path: Path) -> None:
    good = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt")
    shutil.copy(SAMPLES / "19-xinhua-tea.txt", good)
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/vid\xe9.txt")).write_bytes(b"")
    done = run(wiredesk, tmp_path)
    assert inputs(done.stdout) == [f"{tmp_path}/caf\\xe9.txt"]
    assert [error["input"] for error in objects(done.stderr.splitlines()[0])] == [f"{tmp_path}/vid\\xe9.txt"]


@pytest.mark.parametrize("path", ["/nowhere", "/dev/null"])
def test_a_path_that_leads_nowhere_is_bad_usage(wiredesk: str, path: str) -> None:
    done = run(wiredesk, path)
    assert done.returncode == 2
    assert path.encode() in done.stderr


@pytest.mark.skipif(not FEEDS.is_dir(), reason="the shared corpus is not beside the checkout")
def test_real_feeds_are_all_accounted_for(wiredesk: str) -> None:
    done = run(wiredesk, FEEDS)
    lines = counted(done.stderr)
    rejected = sum(line.startswith(b"{") for line in done.stderr.splitlines())
    files = sum(path.is_file() and not path.name.startswith(".") for path in FEEDS.rglob("*"))
    events = len(done.stdout.splitlines())
    assert lines["total"].startswith(f"{files} files, {events + rejected:,} items, {events:,} events")
    assert events > 2000
