"""The log of changes: lines of several processes, cut ones, old files, cursors, clocks."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from processors.errors import Transient
from sinks.desk import changes
from sinks.desk.changes import ChangeLog


async def test_the_last_changes_come_first_and_page_by_page(tmp_path: Path) -> None:
    log, other = (ChangeLog(tmp_path / "changes.jsonl") for _ in range(2))
    for number in range(5):
        await (log, other)[number % 2].record("ada", "edit feed", f"feed {number}", "paused = True")
    first = await log.latest(3)
    rest = await other.latest(3, first.after)
    assert [one.target for one in (*first.changes, *rest.changes)] == [f"feed {n}" for n in (4, 3, 2, 1, 0)]
    assert rest.after is None
    assert (await log.latest(3, "nonsense")).changes == ()
    assert stat.S_IMODE((tmp_path / "changes.jsonl").stat().st_mode) == 0o600


async def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "changes.jsonl"
    log = ChangeLog(path)
    await log.record("ada", "a", "b", "c")
    path.write_bytes(path.read_bytes() + b'{"id": "x", "ti')
    assert len((await log.latest(9)).changes) == 1


async def test_a_full_file_makes_room_and_is_read_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "MAX_FILE_BYTES", 600)
    log = ChangeLog(tmp_path / "changes.jsonl")
    for number in range(12):
        await log.record("ada", "a", str(number), "c")
    targets = [one.target for one in (await log.latest(50)).changes]
    assert targets == [str(number) for number in range(11, 11 - len(targets), -1)]
    assert 3 < len(targets) < 12
    assert sorted(path.name for path in tmp_path.iterdir()) == ["changes.jsonl", "changes.jsonl.1"]


async def test_secrets_and_long_texts_are_cut_and_lines_stay_lines(tmp_path: Path) -> None:
    log = ChangeLog(tmp_path / "changes.jsonl")
    await log.record("ada", "add feed", "https://desk:s3cret@a.example/rss\nx" + "y" * 9000, "token=abcdefgh")
    text = (tmp_path / "changes.jsonl").read_text("utf-8")
    assert "s3cret" not in text
    assert (text.count("\n"), len(text) < 2000) == (1, True)


async def test_a_change_that_can_not_be_written_down_is_told(tmp_path: Path) -> None:
    (tmp_path / "changes.jsonl").mkdir()
    with pytest.raises(Transient, match="the change was made"):
        await ChangeLog(tmp_path / "changes.jsonl").record("ada", "a", "b", "c")
