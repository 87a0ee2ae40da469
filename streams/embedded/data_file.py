"""The data file of the embedded runtime: one SQLite file with the log, feed states, routed chains and the search index.

Its tables are made by numbered migrations: ``PRAGMA user_version`` holds how many were applied. Files of version 0.1
have the tables of the first one, and number 0. To change a table, add a migration at the end; never edit one.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import structlog

from config import Misconfigured
from processors.errors import Transient
from sinks.sqlite.alerts import ALERT_TABLES
from sinks.sqlite.packing import DICTIONARY_TABLE, add_dictionary, add_functions
from sinks.sqlite.writer import FOLDED_WORDS, INDEX_TABLES, QUERY_TABLES, VERSION_TABLES, renew_words

log = structlog.get_logger("wiredesk.embedded")

DATABASE: Final = "wiredesk.sqlite"  # in the data folder
# For another process's transaction. Shorter fails a command beside a busy runtime; longer hides one that hangs.
BUSY_TIMEOUT_S: Final = 10.0
DAMAGE_ERRORS: Final = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
LOCK_ERRORS: Final = ("SQLITE_BUSY", "SQLITE_LOCKED")
# What a full disk, a slow one, or another process causes: writing waits until it passes.
OUTAGE_ERRORS: Final = (*LOCK_ERRORS, "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY")
FOLDER_MODE: Final = 0o700  # raw items and embargoed copy are nobody's business but ours
FILE_MODE: Final = 0o600
OTHERS_MODE: Final = 0o007
TABLES_OF_0_1: Final = """
CREATE TABLE IF NOT EXISTS records (
    id INTEGER PRIMARY KEY, topic TEXT NOT NULL, offset INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,
    headers BLOB NOT NULL, timestamp INTEGER NOT NULL, UNIQUE (topic, offset));
CREATE INDEX IF NOT EXISTS records_by_age ON records (topic, timestamp);
CREATE TABLE IF NOT EXISTS topics (name TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS offsets (
    consumer TEXT NOT NULL, topic TEXT NOT NULL, next INTEGER NOT NULL, PRIMARY KEY (consumer, topic)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS attempts (
    consumer TEXT NOT NULL, topic TEXT NOT NULL, offset INTEGER NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (consumer, topic, offset)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS feeds (feed TEXT PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS positions (name TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS routed_chains (chain BLOB PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID;
"""
# `positions` held three kinds of things, told apart by their names: how far a sink has written ("events:<path>"), the
# last item of each feed ("last:<topic>:<feed>"), and that a consumer has begun ("webhook:<name>"), as its offsets say.
POSITIONS_BY_KIND: Final = """
CREATE TABLE last_items (
    topic TEXT NOT NULL, key TEXT NOT NULL, identity INTEGER NOT NULL, PRIMARY KEY (topic, key)) WITHOUT ROWID;
INSERT INTO last_items
    SELECT substr(name, 6, instr(substr(name, 6), ':') - 1), substr(name, 6 + instr(substr(name, 6), ':')), position
    FROM positions WHERE name LIKE 'last:%:%';
CREATE TABLE sink_positions (sink TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO sink_positions SELECT name, position FROM positions
    WHERE name NOT LIKE 'last:%' AND name NOT LIKE 'webhook:%' AND position >= 0;
DROP TABLE positions;
"""
# Which `wiredesk run` writes: `Log.become_writer`.
ONE_WRITER: Final = """
CREATE TABLE IF NOT EXISTS writer (one INTEGER PRIMARY KEY CHECK (one = 1), signature TEXT NOT NULL);
"""
# Packed records have value and headers in one (`sinks.sqlite.packing`); those of before stay as they are.
PACKED_RECORDS: Final = "ALTER TABLE records ADD COLUMN is_packed INTEGER NOT NULL DEFAULT 0;\n"
MIGRATIONS: Final = (
    TABLES_OF_0_1 + INDEX_TABLES,
    POSITIONS_BY_KIND,
    FOLDED_WORDS,
    VERSION_TABLES,
    ONE_WRITER,
    ALERT_TABLES,
    QUERY_TABLES,
    DICTIONARY_TABLE + PACKED_RECORDS,
)
NEWEST_VERSION: Final = len(MIGRATIONS)


def find_data_file(folder: Path, *, or_kafka: bool = False) -> Path:
    """The data file that is in a folder; `or_kafka`: the command has that option too.

    Raises:
        Misconfigured: there is none, or it can't be read: see `open_data_file`.
    """
    path = folder / DATABASE
    if not path.is_file():
        hint = ", or say --kafka" if or_kafka else ""
        raise Misconfigured(f"{path}: no such log; name the folder of `wiredesk run` with --data{hint}")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            check_version(path, connection)
    except sqlite3.Error as error:
        raise explain_error(path, error) from error
    return path


def open_data_file(path: Path) -> sqlite3.Connection:
    """Open or create the file, and bring its tables up to date.

    Raises:
        Misconfigured: the folder can't be written; the file is damaged, no data file of wiredesk, or of a newer one.
        Transient: another process has locked it for longer than it may.
    """
    try:
        make_data_folder(path.parent)
        _hide_file(path)
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT_S
        )
    except (sqlite3.Error, OSError) as error:
        raise explain_error(path, error) from error
    try:
        check_version(path, connection)
        _touch_tables(connection)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        apply_migrations(connection)
        add_functions(connection)
        add_dictionary(connection)
        if count := renew_words(connection):
            log.info("indexed words anew", path=str(path), stories=count)
        _check_writable(connection)
    except sqlite3.Error as error:
        connection.close()
        if _error_name(error).startswith(LOCK_ERRORS):
            raise Transient(f"{path}: {error} by another process") from error
        raise explain_error(path, error) from error
    except BaseException:
        connection.close()
        raise
    return connection


def make_data_folder(folder: Path) -> None:
    """Make the folder where it is missing, for this user alone. One that is there keeps the rights that it has."""
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)


def check_version(path: Path, connection: sqlite3.Connection) -> None:
    """Refuse files that this version can't read.

    Raises:
        Misconfigured: a newer wiredesk has written the file, or another program.
    """
    version = _version(connection)
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if tables and not tables & {"records", "stories"}:
        raise Misconfigured(f"{path}: no data file of wiredesk; name another folder with --data")
    if version > NEWEST_VERSION:
        raise Misconfigured(
            f"{path}: written by a newer wiredesk (tables of number {version}, known are {NEWEST_VERSION});"
            " install that version again, or name another folder with --data"
        )


def apply_migrations(connection: sqlite3.Connection) -> None:
    """Apply the migrations that a file lacks, all in one transaction."""
    if _version(connection) == NEWEST_VERSION:
        return
    connection.execute("BEGIN EXCLUSIVE")
    try:
        for script in MIGRATIONS[_version(connection) :]:
            for statement in _statements(script):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {NEWEST_VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def explain_error(path: Path, error: sqlite3.Error | OSError) -> Misconfigured:
    """What the operator can do about a file that does not open, or breaks while it is used."""
    if is_damage(error):
        return Misconfigured(
            f"{path}: damaged ({error}); stop wiredesk and restore a copy of the file, or save what can be read with"
            f" `sqlite3 {path} .recover | sqlite3 new.sqlite`, or move it away to begin anew"
        )
    return Misconfigured(f"{path}: {error}; name a folder that can be written with --data")


def is_damage(error: BaseException) -> bool:
    """Whether SQLite found that the file's bytes make no sense."""
    return isinstance(error, sqlite3.Error) and _error_name(error).startswith(DAMAGE_ERRORS)


def is_outage(error: BaseException) -> bool:
    """Whether the world keeps us from writing: what an operator can mend while we wait. Short memory is such a thing."""
    if isinstance(error, sqlite3.OperationalError):
        return _error_name(error).startswith(OUTAGE_ERRORS)
    return isinstance(error, MemoryError)


def _error_name(error: sqlite3.Error) -> str:
    return getattr(error, "sqlite_errorname", "")


def _hide_file(path: Path) -> None:
    """Make the file where it is missing, for this user alone; take the rights of others from one of an older version.

    SQLite gives its other files the rights of this one.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE))
    for own in (path, *(path.with_name(path.name + suffix) for suffix in ("-wal", "-shm"))):
        with suppress(FileNotFoundError):
            mode = stat.S_IMODE(own.stat().st_mode)
            if mode & OTHERS_MODE:
                own.chmod(mode & ~OTHERS_MODE)


def _check_writable(connection: sqlite3.Connection) -> None:
    """Raise what a file says that can only be read; SQLite opens one without a word."""
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        if not _error_name(error).startswith(LOCK_ERRORS):  # who locks it writes it
            raise
    finally:
        connection.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _touch_tables(connection: sqlite3.Connection) -> None:
    """Read the first entry of every table, and the last of the largest, so that plain damage shows before anything is written."""
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    for (name,) in tables:
        connection.execute(f'SELECT * FROM "{name}" LIMIT 1').fetchall()  # noqa: S608 -- a name of SQLite's own list
        if name in {"records", "stories"}:
            connection.execute(f"SELECT * FROM {name} ORDER BY id DESC LIMIT 1").fetchall()  # noqa: S608 -- ours


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
