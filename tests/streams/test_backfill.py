"""A back-fill sends each item once, in order, with the time at which it came; and takes no room from live items."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from config import Misconfigured
from config.settings import EmbeddedSettings, Settings
from processors.errors import Rejected
from processors.model.codec import decode
from processors.model.event import Event, RawItem
from processors.normalise import normalise
from sinks.search import Query
from sinks.sqlite.writer import StorySearch
from streams.backfill import MAX_BATCH_ITEMS, MAX_RECORDS_AHEAD, Backfill, Journal, find_input_files
from streams.commands.backfill import command
from streams.embedded.data_file import DATABASE
from streams.embedded.log import Log
from streams.embedded.runtime import EmbeddedRuntime
from streams.messages import Message, raw_message
from streams.topology import BACKFILL, NORMALISED, RAW, STEPS
from tests.invented import line

LAST_YEAR = 1_738_400_400  # 2025-02-01T09:00:00Z


class Kept:
    """An archive that keeps what it is given; `after` messages it goes away."""

    def __init__(self, after: int = 1 << 30, limit: int = 1 << 30) -> None:
        self.limit, self._after = limit, after
        self.messages: list[Message] = []

    def append(self, messages: Sequence[Message]) -> None:
        if len(self.messages) + len(messages) > self._after:
            raise ConnectionError("gone")
        self.messages += messages

    def waiting(self) -> int:
        return 0

    def close(self) -> None:
        """Nothing to hang up."""


def backfill(
    archive: Kept, journal: Path | None = None
) -> tuple[Backfill, list[tuple[str, int | None, str]]]:
    refused: list[tuple[str, int | None, str]] = []

    def reject(path: str, at: int | None, error: Rejected) -> None:
        refused.append((path, at, error.type))

    return Backfill(
        archive, RawItem(b"", "", feed="old", backfill=True), Journal(journal), 5000, reject
    ), refused


def items(archive: Kept) -> list[RawItem]:
    return [decode(each.value, RawItem) for each in archive.messages]


def run(work: Backfill, *paths: Path | str) -> None:
    for _ in work.run(find_input_files([str(path) for path in paths], 0, None), io.BytesIO()):
        pass


def dated(path: Path, payload: bytes, at: int = LAST_YEAR) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(payload)
    os.utime(path, (at, at))
    return path


def test_files_of_folders_come_in_the_order_of_their_names_as_they_were_received(tmp_path: Path) -> None:
    dated(tmp_path / "b.txt", b"second")
    dated(tmp_path / "a" / "deep" / "x.txt", b"first", LAST_YEAR + 60)
    dated(tmp_path / "c.jsonl", b'{"n": 1}\n{"n": 2}\n')
    dated(tmp_path / ".hidden", b"no")
    dated(tmp_path / "half.part", b"no")
    archive = Kept()
    work, _ = backfill(archive)
    run(work, tmp_path)
    made = items(archive)
    assert [each.payload for each in made] == [b"first", b"second", b'{"n": 1}', b'{"n": 2}']
    assert [each.received for each in made[:2]] == ["2025-02-01T09:01:00.000Z", "2025-02-01T09:00:00.000Z"]
    assert [each.format for each in made] == [None, None, "ninjs", "ninjs"]
    assert all(each.backfill and each.feed == "old" for each in made)
    assert (work.sent.items, work.sent.files) == (4, 3)


def test_the_same_files_give_the_same_messages_again(tmp_path: Path) -> None:
    dated(tmp_path / "a.txt", b"one")
    first, second = Kept(), Kept()
    run(backfill(first)[0], tmp_path)
    run(backfill(second)[0], tmp_path)
    assert first.messages == second.messages


def test_what_cannot_be_read_or_is_too_large_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    dated(tmp_path / "a.jsonl", b'{"n": 1}\n\n' + b"x" * 6000 + b'\n{"n": 4}\n')
    dated(tmp_path / "b.txt", b"y" * 3000)
    archive = Kept(limit=2000)
    work, refused = backfill(archive)
    run(work, tmp_path)
    path = str(tmp_path / "a.jsonl")
    assert refused == [(path, 2, "Empty"), (path, 3, "TooLarge"), (str(tmp_path / "b.txt"), None, "TooLarge")]
    assert [each.payload for each in items(archive)] == [b'{"n": 1}', b'{"n": 4}']
    assert work.sent.rejected == 3


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 3 * MAX_BATCH_ITEMS), st.integers(1, 40))
def test_a_run_that_was_cut_off_goes_on_with_its_journal(
    tmp_path_factory: pytest.TempPathFactory, after: int, files: int
) -> None:
    folder = tmp_path_factory.mktemp("archive")
    for number in range(files):
        dated(folder / f"{number:03}.jsonl", b"".join(b'{"n": %d}\n' % (number * 30 + n) for n in range(30)))
    journal = folder.parent / f"{folder.name}.journal"
    cut, rest = Kept(after), Kept()
    if files * 30 > after:
        with pytest.raises(ConnectionError):
            run(backfill(cut, journal)[0], folder)
    else:
        run(backfill(cut, journal)[0], folder)
    run(backfill(rest, journal)[0], folder)
    sent = [orjson.loads(each.payload)["n"] for each in (*items(cut), *items(rest))]
    assert sent == list(range(files * 30)), "each once, in order"


def test_a_file_that_has_changed_is_sent_again_and_a_torn_journal_is_read(tmp_path: Path) -> None:
    path, journal = dated(tmp_path / "a.txt", b"one"), tmp_path / "journal"
    run(backfill(Kept(), journal)[0], path)
    journal.write_bytes(journal.read_bytes() + b'["torn')
    again = Kept()
    run(backfill(again, journal)[0], path)
    assert again.messages == []
    dated(path, b"changed")
    run(backfill(again, journal)[0], path)
    assert [each.payload for each in items(again)] == [b"changed"]


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / "journal").write_bytes(b"a letter\n")
    with pytest.raises(Misconfigured, match="no journal of a back-fill"):
        Journal(tmp_path / "journal")


def test_what_cannot_be_read_is_told_and_tried_again_by_the_next_run(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    dated(tmp_path / "in" / "a.txt", b"one")
    (tmp_path / "in" / "gone.txt").symlink_to(tmp_path / "in" / "later")
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "mem.txt").symlink_to("/proc/self/mem")  # opens, but can't be read
    archive = Kept()
    work, refused = backfill(archive, journal)
    run(work, tmp_path / "in")
    assert [(Path(path).name, error) for path, _, error in refused] == [
        ("gone.txt", "Unreadable"), ("loop", "Unreadable"), ("mem.txt", "Unreadable"),
    ]  # fmt: skip
    assert work.sent.rejected == 3
    dated(tmp_path / "in" / "later", b"two")
    (tmp_path / "in" / "mem.txt").unlink()
    run(backfill(archive, journal)[0], tmp_path / "in")
    assert [each.payload for each in items(archive)] == [b"one", b"two"]


def test_a_name_of_any_bytes_is_sent_once_with_a_journal(tmp_path: Path) -> None:
    dated(Path(os.fsdecode(os.fsencode(tmp_path) + b"/in/caf\xe9.txt")), b"one")
    archive = Kept()
    for _ in range(2):
        run(backfill(archive, tmp_path / "journal")[0], tmp_path / "in")
    [item] = items(archive)
    assert (item.payload, item.input) == (b"one", f"{tmp_path}/in/caf\\xe9.txt")


def called(*arguments: str, given: bytes = b"") -> Result:
    return CliRunner().invoke(command, arguments, input=given)


def test_the_command_tells_what_it_sent_and_what_waits(tmp_path: Path) -> None:
    told = called("-", "--data", str(tmp_path), "--feed", "efe", given=b'{"uri": "urn:a"}\n\n')
    assert told.exit_code == 1
    assert "-:2: Empty" in told.stderr
    assert "1 item of 1 file sent, 1 rejected" in told.stderr
    assert "1 wait, and no `wiredesk run` takes them" in told.stderr
    log = Log(tmp_path / DATABASE)
    [record] = log.records(BACKFILL.name)
    log.close()
    assert record.key == b"efe"


@pytest.mark.parametrize(("feed", "source"), [((), "backfill/Pane"), (("--feed", "efe"), "efe")])
def test_files_of_no_feed_in_particular_are_their_publishers(
    tmp_path: Path, feed: tuple[str, ...], source: str
) -> None:
    called("-", "--data", str(tmp_path), *feed, given=b'{"uri": "77", "headline": "A", "source": "Pane"}')
    log = Log(tmp_path / DATABASE)
    [record] = log.records(BACKFILL.name)
    log.close()
    [event] = normalise(decode(record.value, RawItem), Settings().normalise)
    assert isinstance(event, Event)
    assert event.provenance
    assert event.provenance.source == source


@pytest.mark.parametrize("arguments", [(), ("no/such/path",), ("-", "--received", "yesterday")])
def test_bad_usage_says_what_to_do(arguments: tuple[str, ...]) -> None:
    assert called(*arguments).exit_code == 2


@pytest.mark.timeout(300)
async def test_old_stories_are_indexed_by_their_own_time_and_live_ones_are_not_held_up(
    tmp_path: Path,
) -> None:
    log = Log(tmp_path / DATABASE)
    old = [RawItem(line(n, 30), "2025-02-01T09:00:00Z", feed="old", backfill=True) for n in range(250)]
    log.append([raw_message(each, BACKFILL.name) for each in old])
    log.append(
        [
            raw_message(RawItem(line(n, 60), "2026-11-20T12:00:00Z", feed="live"), RAW.name)
            for n in range(900, 910)
        ]
    )
    log.close()
    told = Settings(embedded=EmbeddedSettings(workers=1))
    waited = []
    async with EmbeddedRuntime(told, tmp_path) as runtime:
        while not await runtime.drain(0.05):
            lags = {lag.consumer: lag.records for lag in await runtime.lags()}
            waited.append(sum(lags[step.name] for step in STEPS[1:]))
        first = await runtime.log_thread.run(lambda: runtime.log_thread.log.records(NORMALISED.name, 0, 10))
        page = StorySearch(runtime.path)
        shown = await page.latest(Query(limit=500, duplicates=True))
        page.close()
    events = [decode(each.value, Event) for each in first]
    assert {each.provenance.feed for each in events if each.provenance} == {"live"}
    assert max(waited) <= MAX_RECORDS_AHEAD + told.embedded.batch, (
        "the pipeline never holds more of a back-fill than a little"
    )
    assert sum(hit.backfill for hit in shown.hits) == 250
    assert sum(not hit.backfill for hit in shown.hits) == 10
