"""A backup is a data folder of one moment, and a folder that holds something is never written over."""

from __future__ import annotations

import stat
import tarfile
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from config import Misconfigured
from streams.cli import cli
from streams.embedded import backup
from streams.embedded.backup import BackupManifest, restore_backup, write_backup
from streams.embedded.data_file import DATABASE
from streams.embedded.log import Log
from streams.messages import Message
from streams.topology import RAW


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    log = Log(folder / DATABASE)
    log.append([Message(RAW.name, b"feed", b"first", 0)])
    log.close()
    (folder / "tokens.json").write_text("{}", "utf-8")
    (folder / "wiredesk.lock").write_text("{}", "utf-8")
    (folder / "drop").mkdir()
    return folder


def values(folder: Path) -> list[bytes]:
    log = Log(folder / DATABASE)
    try:
        return [record.value for record in log.records(RAW.name)]
    finally:
        log.close()


def test_a_backup_of_a_running_pipeline_is_of_one_moment_and_comes_back(folder: Path, tmp_path: Path) -> None:
    log, stop = Log(folder / DATABASE), threading.Event()

    def write_pairs() -> None:
        while not stop.is_set():
            log.append([Message(RAW.name, b"feed", half, 0) for half in (b"left", b"right")])

    writing = threading.Thread(target=write_pairs)
    writing.start()
    try:
        write_backup(folder, tmp_path / "copy")
    finally:
        stop.set()
        writing.join()
        log.close()
    manifest = restore_backup(tmp_path / "copy", tmp_path / "new")
    assert set(manifest.hashes) == {DATABASE, "tokens.json"}
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(manifest.hashes)
    first, *pairs = values(tmp_path / "new")
    assert first == b"first"
    assert pairs == [b"left", b"right"] * (len(pairs) // 2), "no transaction is torn"


def test_nobody_else_may_read_a_backup_or_what_is_made_of_it(folder: Path, tmp_path: Path) -> None:
    write_backup(folder, tmp_path / "copy")
    restore_backup(tmp_path / "copy", tmp_path / "new")
    for path in (tmp_path / "copy", tmp_path / "new" / DATABASE, tmp_path / "new" / "tokens.json"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_a_folder_that_holds_something_is_refused_and_stays_as_it_was(folder: Path, tmp_path: Path) -> None:
    write_backup(folder, tmp_path / "copy")
    before = values(folder)
    with pytest.raises(Misconfigured, match="holds something"):
        restore_backup(tmp_path / "copy", folder)
    assert values(folder) == before


@pytest.mark.parametrize("place", [0.3, 0.6, 0.9])
def test_a_damaged_backup_is_refused_and_leaves_no_data_file(
    folder: Path, tmp_path: Path, place: float
) -> None:
    write_backup(folder, tmp_path / "copy")
    content = bytearray((tmp_path / "copy").read_bytes())
    with tarfile.open(tmp_path / "copy") as archive:
        member = archive.getmember(DATABASE)
    at = member.offset_data + int(member.size * place)
    content[at] ^= 0xFF
    (tmp_path / "copy").write_bytes(content)
    with pytest.raises(Misconfigured, match="damaged"):
        restore_backup(tmp_path / "copy", tmp_path / "new")
    assert not list((tmp_path / "new").iterdir())
    (tmp_path / "copy").write_bytes(content[: len(content) // 2])
    with pytest.raises(Misconfigured):
        restore_backup(tmp_path / "copy", tmp_path / "new")


def test_a_backup_of_a_newer_version_and_what_is_none_are_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = write_backup(folder, tmp_path / "copy").tables
    monkeypatch.setattr(backup, "NEWEST_VERSION", tables - 1)
    with pytest.raises(Misconfigured, match="newer wiredesk"):
        restore_backup(tmp_path / "copy", tmp_path / "new")
    monkeypatch.setattr(backup, "NEWEST_VERSION", tables)
    for name, content in (("text", b"no archive"), ("empty", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(Misconfigured, match="no backup"):
            restore_backup(tmp_path / name, tmp_path / "new")


def test_names_that_lead_out_of_the_folder_are_refused(folder: Path, tmp_path: Path) -> None:
    files = {DATABASE: folder / DATABASE, "../escaped": folder / DATABASE}
    hashes = {name: backup._hash_file(path) for name, path in files.items()}
    backup._write_archive(tmp_path / "copy", BackupManifest(1, "", hashes), files)
    with pytest.raises(Misconfigured, match="no backup that this version can read"):
        restore_backup(tmp_path / "copy", tmp_path / "new")
    assert not (tmp_path / "escaped").exists()


def test_the_commands_make_and_restore(folder: Path, tmp_path: Path) -> None:
    copy, new = str(tmp_path / "wire.backup"), str(tmp_path / "new")
    made = CliRunner().invoke(cli, ["backup", "--data", str(folder), copy], catch_exceptions=False)
    assert "2 of the folder's files" in made.output
    restored = CliRunner().invoke(cli, ["restore", "--data", new, copy], catch_exceptions=False)
    assert f"start it with wiredesk run --data {new}" in restored.output
    assert values(Path(new)) == [b"first"]
    nowhere = CliRunner().invoke(cli, ["backup", "--data", str(folder), str(tmp_path / "no" / "where")])
    assert isinstance(nowhere.exception, Misconfigured)
