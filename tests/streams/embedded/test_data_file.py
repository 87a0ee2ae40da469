"""The data file: its tables are brought up to date with everything kept; what can't be used is refused in one line."""

from __future__ import annotations

import asyncio
import gzip
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner
from msgspec.structs import replace
from structlog.testing import capture_logs

from config import Misconfigured
from config.settings import Settings
from processors.errors import Transient
from processors.model.codec import decode, encode
from processors.model.event import Event, RawItem
from sinks.search import Query
from sinks.sqlite import packing
from sinks.sqlite.reader import StorySearch
from sinks.sqlite.writer import StoryIndex
from streams.cli import cli
from streams.embedded import data_file
from streams.embedded.data_file import DATABASE, MIGRATIONS, NEWEST_VERSION, find_data_file, open_data_file
from streams.embedded.log import Log
from streams.embedded.runtime import EmbeddedRuntime
from streams.embedded.serve import _open_runtime
from streams.messages import message
from streams.retry import RetryPolicy
from streams.topology import ENRICHED, LINEAGE, RAW
from tests.sinks.events import event

OLD = Path(__file__).with_name("version-0.1.sqlite.gz")  # made by version 0.1 of five invented items


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / DATABASE
    path.write_bytes(gzip.decompress(OLD.read_bytes()))
    return path


# Takes back what the queries' tables brought, but for the words of the stories.
WITHOUT_QUERIES = """
DROP INDEX stories_by_time; DROP INDEX stories_by_reception; DROP INDEX stories_listed; DROP TABLE story_points;
CREATE INDEX stories_by_time ON stories (time, id); CREATE INDEX stories_by_reception ON stories (received, id);
ALTER TABLE stories DROP COLUMN words; ALTER TABLE stories DROP COLUMN sources;
"""


def version(path: Path) -> int:
    connection = sqlite3.connect(path)
    number: int = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.close()
    return number


def contents(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every table that all versions have, in the columns that all have."""
    connection = sqlite3.connect(path)
    names = ("records", "topics", "offsets", "attempts", "feeds", "routed_chains", "stories", "story_terms")
    rows = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in names}  # noqa: S608 -- constants
    found = {**rows, "stories": [row[:17] for row in rows["stories"]]}  # later versions have more columns
    found["records"] = connection.execute(
        "SELECT id, topic, offset, key, value, headers, timestamp FROM records"
    ).fetchall()
    connection.close()
    return found


def test_a_file_of_version_0_1_is_migrated_with_everything_kept(old: Path) -> None:
    assert version(old) == 0
    before = contents(old)
    log = Log(old)
    assert version(old) == NEWEST_VERSION
    assert contents(old) == before
    assert all(before.values()), "the file has something in every table"
    assert log.sink_position("events:/tmp/v01/events.jsonl") == 13_675
    assert log.last_item(RAW.name, "harbour") == 281_891_585_603_329_452
    assert log.has_committed("webhook:newsroom")
    tables = {name for (name,) in log.connection.execute("SELECT name FROM sqlite_master")}
    assert "positions" not in tables
    log.close()


async def test_a_migrated_pipeline_goes_on_with_its_state_and_stories(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ferry of version 0.1 is known: the same text from elsewhere is its repeat, and both are found."""
    monkeypatch.setattr(EmbeddedRuntime, "_delete_old", lambda *_: None)  # by the clock, all of it is old
    log = Log(old)
    first = decode(log.records(ENRICHED.name)[0].value, Event)
    assert len(log.records(LINEAGE.name)) == 4
    log.close()
    line = {
        "uri": "urn:invented:ferry-elsewhere", "version": "1", "versionCreated": "2026-11-20T13:00:00Z", "language": "en",
        "headlines": [{"role": "main", "value": "The ferry sailed"}],
        "bodies": [{"role": "main", "contentType": "text/plain", "value": first.text}],
    }  # fmt: skip
    async with EmbeddedRuntime(Settings(), old.parent) as runtime:
        await runtime.outlet.publish([RawItem(orjson.dumps(line), "2026-11-20T13:00:00.000Z", feed="other")])
        assert await runtime.drain(100)
        search = StorySearch(runtime.path)
        try:
            hits = (await search.search(Query(words="donkey"))).hits
            repeat = await search.get("urn:invented:ferry-elsewhere")
        finally:
            search.close()
    assert {hit.uri for hit in hits} >= {"urn:invented:ferry"}
    assert repeat
    assert repeat.event.lineage
    assert (repeat.event.lineage.relation, repeat.event.lineage.story) == ("duplicate", "urn:invented:ferry")


def test_a_migration_that_fails_changes_nothing(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        data_file, "MIGRATIONS", (*MIGRATIONS, "DELETE FROM stories;\nSELECT * FROM nowhere;")
    )
    monkeypatch.setattr(data_file, "NEWEST_VERSION", NEWEST_VERSION + 1)
    before = contents(old)
    with pytest.raises(Misconfigured, match="nowhere"):
        Log(old)
    assert (version(old), contents(old)) == (0, before)


async def found(path: Path, words: str) -> list[str]:
    search = StorySearch(path)
    try:
        return [hit.uri for hit in (await search.search(Query(words))).hits]
    finally:
        search.close()


async def test_words_that_an_older_version_indexed_are_folded_anew(tmp_path: Path) -> None:
    path = tmp_path / DATABASE
    open_data_file(path).close()
    story = event("urn:yolka", headline="Ёлка Йосифа", text="서울 Αθήνα", names=("김하늘",))
    connection = open_data_file(path)
    StoryIndex(connection).write([story])
    connection.executescript(WITHOUT_QUERIES)
    connection.executescript(
        "DROP TABLE dictionaries; ALTER TABLE records DROP COLUMN is_packed; DROP TABLE story_versions; DROP TABLE story_folding; DROP TABLE story_words; DELETE FROM story_terms; PRAGMA user_version = 2;"
        "CREATE VIRTUAL TABLE story_words USING fts5(headline, text, other, content='',"
        ' tokenize="unicode61 remove_diacritics 2");'
        "INSERT INTO story_words (rowid, headline, text, other) VALUES (1, 'Ёлка Йосифа', '서울 Αθήνα', '');"
    )
    connection.close()
    open_data_file(path).close()
    for words in ("ёлка", "елка", "йосифа", "서울", "αθηνα", "김하늘"):
        assert await found(path, words) == ["urn:yolka"], words
    connection = open_data_file(path)
    StoryIndex(connection).write([event("urn:yolka", version="2", headline="Сосна", text="")])
    connection.execute("INSERT INTO story_words (story_words) VALUES ('integrity-check')")
    connection.close()
    assert await found(path, "ёлка") == []


async def test_words_are_folded_anew_where_the_rule_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / DATABASE
    open_data_file(path).close()
    connection = open_data_file(path)
    StoryIndex(connection).write([event("urn:a")])
    connection.execute("INSERT INTO story_words (story_words) VALUES ('delete-all')")
    connection.close()
    open_data_file(path).close()
    assert await found(path, "harbour") == [], "nothing is done where the rule is the same"
    monkeypatch.setattr("sinks.sqlite.writer.INDEX_RULE", "another")
    open_data_file(path).close()
    assert await found(path, "harbour") == ["urn:a"]


def test_a_new_file_has_the_newest_tables_and_is_opened_again_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "new" / DATABASE
    open_data_file(path).close()
    assert version(path) == NEWEST_VERSION
    before = contents(path)
    open_data_file(path).close()
    assert contents(path) == before


def newer(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {NEWEST_VERSION + 1}")
    connection.close()


def foreign(path: Path) -> None:
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE bookmarks (url)")
    connection.close()


def no_database(path: Path) -> None:
    path.write_bytes(b"not a database, but long enough to be read as one" * 300)


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:20_000])


def overwritten(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * 40_000 + whole[44_096:])


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (newer, "written by a newer wiredesk"),
        (foreign, "no data file of wiredesk"),
        (no_database, "damaged .*restore a copy"),
        (cut_off, "damaged .*restore a copy"),
        (overwritten, "damaged .*restore a copy"),
    ],
)
def test_what_can_not_be_used_is_refused_with_what_to_do(old: Path, spoil: object, line: str) -> None:
    assert callable(spoil)
    spoil(old)
    bytes_before = old.read_bytes()
    with pytest.raises(Misconfigured, match=line) as refused:
        Log(old)
    assert "\n" not in str(refused.value)
    assert str(old) in str(refused.value)
    if spoil is not cut_off:
        assert old.read_bytes() == bytes_before, "and left as it is"


def test_commands_that_only_read_refuse_a_newer_file_with_status_2(old: Path) -> None:
    newer(old)
    with pytest.raises(Misconfigured, match="newer"):
        find_data_file(old.parent)
    done = CliRunner().invoke(cli, ["export", "--data", str(old.parent), "--query", "ferry"])
    assert isinstance(done.exception, Misconfigured) or done.exit_code == 2


async def test_damage_that_shows_while_it_runs_ends_it_with_what_to_do(tmp_path: Path) -> None:
    from streams.embedded.log import LogThread

    log_thread = LogThread(Log(tmp_path / DATABASE))

    def fails() -> None:
        error = sqlite3.DatabaseError("database disk image is malformed")
        error.sqlite_errorname = "SQLITE_CORRUPT"
        raise error

    with pytest.raises(Misconfigured, match="damaged"):
        await log_thread.write(fails)
    log_thread.close()


@pytest.fixture
def other_user() -> Iterator[None]:
    """Act as a user who owns nothing: root reads and writes everything."""
    if os.geteuid() != 0:
        pytest.skip("only root may act as somebody else")
    os.seteuid(65534)
    yield
    os.seteuid(0)


@pytest.fixture
def read_only_file() -> Iterator[Path]:
    """A data file that nobody but root may write."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / DATABASE
        open_data_file(path).close()
        path.parent.chmod(0o777)
        path.chmod(0o444)
        yield path


def test_a_file_that_can_only_be_read_is_refused_at_the_start(read_only_file: Path, other_user: None) -> None:
    with pytest.raises(
        Misconfigured, match=r"wiredesk\.sqlite: .*; name a folder that can be written with --data"
    ):
        open_data_file(read_only_file)


def test_a_file_that_is_locked_at_the_start_is_the_worlds_fault(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A back-up, say, of a file that an upgrade is to change."""
    monkeypatch.setattr(data_file, "BUSY_TIMEOUT_S", 0.05)
    with sqlite3.connect(old, isolation_level=None) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(Transient, match="locked by another process"):
            open_data_file(old)
    holder.close()
    open_data_file(old).close()


async def test_a_runtime_waits_for_a_file_that_is_locked_at_the_start(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_file, "BUSY_TIMEOUT_S", 0.05)
    monkeypatch.setattr("streams.embedded.serve.LOG", RetryPolicy("log", 0.05, 0.05))
    holder = sqlite3.connect(old, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    stop = asyncio.Event()
    opening = asyncio.ensure_future(_open_runtime(Settings(), old.parent, stop))
    with capture_logs() as lines:
        async with asyncio.timeout(10):
            while not lines:
                await asyncio.sleep(0.01)
    assert "locked by another process" in lines[0]["reason"]
    holder.close()
    runtime = await asyncio.wait_for(opening, 10)
    assert runtime
    runtime.log_thread.close()


async def test_a_stop_ends_the_wait_for_a_locked_file(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_file, "BUSY_TIMEOUT_S", 0.05)
    holder = sqlite3.connect(old, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    stop = asyncio.Event()
    stop.set()
    assert await asyncio.wait_for(_open_runtime(Settings(), old.parent, stop), 10) is None
    holder.close()


async def test_a_file_of_before_versions_were_kept_keeps_them_from_now_on(tmp_path: Path) -> None:
    path = tmp_path / DATABASE
    open_data_file(path).close()
    connection = open_data_file(path)
    StoryIndex(connection).write([event("urn:a", version="1", headline="One")])
    connection.executescript(
        f"{WITHOUT_QUERIES} DROP TABLE dictionaries; ALTER TABLE records DROP COLUMN is_packed;"
        "DROP TABLE story_versions; PRAGMA user_version = 3;"
    )
    connection.close()
    connection = open_data_file(path)
    StoryIndex(connection).write([event("urn:a", version="2", headline="Two", minute=1)])
    connection.close()
    search = StorySearch(path)
    try:
        assert [kept.event.headline for kept in await search.kept_versions("urn:a")] == ["Two", "One"]
    finally:
        search.close()


def test_records_and_events_of_an_older_file_are_read_beside_those_that_are_packed(old: Path) -> None:
    before = sqlite3.connect(old)
    texts = before.execute("SELECT uri, event FROM stories ORDER BY id").fetchall()
    values = before.execute("SELECT topic, offset, value FROM records ORDER BY id").fetchall()
    before.close()
    log = Log(old)
    first = decode(texts[0][1], Event)
    later = replace(first, headline="Another headline", story=replace(first.story, version="99"))
    with log.transaction():
        StoryIndex(log.connection).write([later])
        log.append([message(ENRICHED.name, "en", encode(later), 1_795_176_000_000, source="test")])
    sql = "SELECT uri, event_json(event), typeof(event) FROM stories ORDER BY id"
    stored = {uri: (event, kind) for uri, event, kind in log.connection.execute(sql)}
    assert stored[first.story.uri] == (encode(later).decode(), "blob")
    assert all(stored[uri] == (text, "text") for uri, text in texts if uri != first.story.uri)
    for topic, offset, value in values:
        assert log.records(topic, offset, 1)[0].value == value
    *_, newest = log.records(ENRICHED.name)
    assert newest.value == encode(later)
    assert newest.header("content-type") == b"application/json"
    log.close()


def test_what_was_packed_with_the_words_of_another_version_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = [encode(event("urn:a", headline="Ferry")), encode(event("urn:b", headline="Train"))]
    for number, value in enumerate(values):
        monkeypatch.setattr(packing, "make_dictionary", lambda number=number: b'{"story":%d,"uri":' % number)
        log = Log(tmp_path / DATABASE)
        log.append([message(ENRICHED.name, "en", value, 0, source="test")])
        log.close()
    log = Log(tmp_path / DATABASE)
    assert [record.value for record in log.records(ENRICHED.name)] == values
    assert log.connection.execute("SELECT COUNT(*) FROM dictionaries").fetchone() == (2,)
    log.close()
