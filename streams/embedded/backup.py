"""One file with all that a data folder holds, made while the pipeline runs, and a data folder made of it again.

It is a tar file: a manifest first, then the data file as SQLite's own online backup copies it, which is a moment between
two transactions, then the other files of the folder. What lies in folders within it (a drop folder) is not ours.
"""

from __future__ import annotations

import hashlib
import io
import os
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import msgspec

from config import Misconfigured
from processors.times import to_timestamp
from sinks.stories import now_ms
from streams.embedded.data_file import DATABASE, FILE_MODE, NEWEST_VERSION, explain_error, make_data_folder
from streams.embedded.folder_lock import LOCK_FILE

MANIFEST_NAME: Final = "manifest.json"
KIND: Final = "wiredesk backup 1"  # another number where another version could not read it
# Beside the data file, these are the pipeline's of the moment; a copy of them would be of another moment.
LEFT_OUT: Final = frozenset(
    {DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", f"{DATABASE}-journal", LOCK_FILE}
)
CHUNK_BYTES: Final = 1 << 20


class BackupManifest(msgspec.Struct, frozen=True):
    """What a backup holds: the number of its tables, when it was made, and the hash (SHA-256) of each file by its name."""

    tables: int
    at: str
    hashes: dict[str, str]
    kind: str = KIND


def write_backup(folder: Path, target: Path) -> BackupManifest:
    """Copy a data folder into one file, which appears whole or not at all, and return what it holds.

    Raises:
        Misconfigured: there is no data file, the copy is damaged, or the target can't be written.
    """
    if not (folder / DATABASE).is_file():
        raise Misconfigured(
            f"{folder / DATABASE}: no data file; name the folder of `wiredesk run` with --data"
        )
    part = target.with_name(f".{target.name}.part")
    try:
        with tempfile.TemporaryDirectory(prefix=".wiredesk-", dir=target.parent) as scratch:
            copy = Path(scratch) / DATABASE
            tables = _copy_database(folder / DATABASE, copy)
            files = {DATABASE: copy} | {path.name: path for path in _other_files(folder)}
            manifest = BackupManifest(
                tables, to_timestamp(now_ms()), {name: _hash_file(path) for name, path in files.items()}
            )
            _write_archive(part, manifest, files)
        part.replace(target)
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            part.unlink()
        if isinstance(error, sqlite3.Error):
            raise explain_error(folder / DATABASE, error) from error
        raise Misconfigured(f"{target}: {error.strerror}; name a file that can be written") from error
    return manifest


def restore_backup(source: Path, folder: Path) -> BackupManifest:
    """Make a data folder of a backup, and return what it held.

    Raises:
        Misconfigured: the folder holds something, the file is no backup, is damaged, or of a newer version.
    """
    if folder.exists() and (not folder.is_dir() or any(path.name != LOCK_FILE for path in folder.iterdir())):
        raise Misconfigured(f"{folder}: holds something; move it away, or name another folder with --data")
    try:
        with tarfile.open(source, "r:") as archive:
            manifest = _read_manifest(source, archive)
            make_data_folder(folder)
            with tempfile.TemporaryDirectory(prefix=".restore-", dir=folder) as scratch:
                for name, expected in manifest.hashes.items():
                    path = Path(scratch) / name
                    _extract_file(source, archive, name, path)
                    if _hash_file(path) != expected:
                        raise Misconfigured(f"{source}: {name} is damaged; take another copy")
                # the data file last: a folder without it is no data folder
                for name in sorted(manifest.hashes, key=lambda name: name == DATABASE):
                    (Path(scratch) / name).replace(folder / name)
    except tarfile.TarError as error:
        raise Misconfigured(f"{source}: no backup of wiredesk, or a damaged one ({error})") from error
    except OSError as error:
        raise Misconfigured(f"{error.filename or source}: {error.strerror}") from error
    return manifest


def _copy_database(source: Path, copy: Path) -> int:
    """Copy a data file that others may write meanwhile; the number of its tables.

    Raises:
        Misconfigured: what was copied is damaged.
    """
    os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE))
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as connection,
        closing(sqlite3.connect(copy)) as copied,
    ):
        connection.backup(copied)  # in one go: in steps it would begin anew with every write of the pipeline
        copied.execute("PRAGMA journal_mode=DELETE")
        copied.execute("VACUUM")  # free pages are left out
        (verdict,) = copied.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise Misconfigured(
                f"{source}: damaged ({verdict}); the last backup that is whole is the one to keep"
            )
        return int(copied.execute("PRAGMA user_version").fetchone()[0])


def _other_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name not in LEFT_OUT and path.is_file() and not path.is_symlink():
            yield path


def _write_archive(part: Path, manifest: BackupManifest, files: dict[str, Path]) -> None:
    number = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, FILE_MODE)
    with os.fdopen(number, "wb") as stream:
        with tarfile.open(fileobj=stream, mode="w") as archive:
            written = msgspec.json.encode(manifest)
            head = tarfile.TarInfo(MANIFEST_NAME)
            head.size, head.mode = len(written), FILE_MODE
            archive.addfile(head, io.BytesIO(written))
            for name, path in files.items():
                archive.add(path, name, recursive=False)
        stream.flush()
        os.fsync(stream.fileno())


def _read_manifest(source: Path, archive: tarfile.TarFile) -> BackupManifest:
    first = archive.next()
    stream = archive.extractfile(first) if first and first.name == MANIFEST_NAME else None
    try:
        manifest = msgspec.json.decode(stream.read() if stream else b"", type=BackupManifest)
    except msgspec.MsgspecError as error:
        raise Misconfigured(f"{source}: no backup of wiredesk: it has no {MANIFEST_NAME}") from error
    if (
        manifest.kind != KIND
        or DATABASE not in manifest.hashes
        or any("/" in name for name in manifest.hashes)
    ):
        raise Misconfigured(f"{source}: no backup that this version can read ({manifest.kind})")
    if manifest.tables > NEWEST_VERSION:
        raise Misconfigured(
            f"{source}: made by a newer wiredesk (tables of number {manifest.tables}, known are {NEWEST_VERSION});"
            " install that version"
        )
    return manifest


def _extract_file(source: Path, archive: tarfile.TarFile, name: str, path: Path) -> None:
    """Write one member, which is a plain file whatever the archive says of owners and rights."""
    try:
        stream = archive.extractfile(name)
    except KeyError:
        stream = None
    if stream is None:
        raise Misconfigured(f"{source}: {name} is missing; take another copy")
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
    with stream, os.fdopen(number, "wb") as written:
        while chunk := stream.read(CHUNK_BYTES):
            written.write(chunk)


def _hash_file(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
