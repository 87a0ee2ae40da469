"""Each kind of source against a real server: every item once, told only when it is safe, and what is odd about one item."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from streams.sources.declaration import load_sources
from streams.sources.imap import ImapOptions, _place_of
from tests.streams.pollers.conftest import MemoryLog
from tests.streams.sources.agencies import USER
from tests.streams.sources.kills import kill_amid
from tests.streams.sources.servers import (
    CLOUD_KEYS,
    CLOUD_TABLE,
    KINDS,
    Backend,
    backend,
    cloud,
    deliver,
    has_dovecot,
    mail,
    story,
)
from tests.streams.sources.watching import entry_of, settings, state_of, until, watching, write_list

needs_dovecot = pytest.mark.skipif(not has_dovecot() or os.geteuid() != 0, reason="needs Dovecot, as root")
MARKED = [pytest.param(kind, marks=[needs_dovecot] if kind == "imap" else []) for kind in KINDS]


@contextmanager
def serving(
    kind: str, folder: Path, count: int, monkeypatch: pytest.MonkeyPatch, **options: object
) -> Iterator[Backend]:
    with backend(kind, folder, count, **options) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.mark.parametrize("kind", MARKED)
async def test_every_item_comes_once_and_is_acknowledged(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = MemoryLog()
    with serving(kind, tmp_path, 30, monkeypatch) as server:
        async with watching(log, entry_of(tmp_path, server.table)):
            await until(log, lambda: len(server.told()) == 30)
    assert len(log.items) == 30
    assert len({item.payload for item in log.items}) == 30
    assert not log.rejected


@pytest.mark.parametrize("kind", ["sftp", "ftp", MARKED[-1]])  # moto believes every key, dpa's is its address
async def test_a_wrong_secret_is_one_fault(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = MemoryLog()
    with serving(kind, tmp_path, 1, monkeypatch) as server:
        for name in server.environment:
            monkeypatch.setenv(name, "somebody else's")
        async with watching(log, entry_of(tmp_path, server.table), told=settings(max_backoff_s=900.0)):
            await until(log, lambda: "wire" in log.states)
    state = state_of(log)
    assert state.outcome == "credentials"
    assert state.next_poll >= state.polled + 299
    assert "somebody" not in state.message


async def test_odd_files_of_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = MemoryLog()
    (tmp_path / "secret.txt").write_text("only the operator's")
    with serving("sftp", tmp_path, 2, monkeypatch, after="move", patterns=["*.json"]) as server:
        folder = tmp_path / "sftp"
        (folder / "link.json").symlink_to(tmp_path / "secret.txt")
        (folder / "two\nlines.json").write_bytes(story(7))
        (folder / "ends.json.part").write_bytes(story(8))
        (folder / ".hidden.json").write_bytes(story(9))
        (folder / "other.txt").write_bytes(story(10))
        (folder / "deep.json").mkdir()
        with (folder / "huge.json").open("wb") as huge:
            huge.truncate(2 * 1024**3)
        async with watching(log, entry_of(tmp_path, server.table)):
            await until(log, lambda: (folder / "done" / "huge.json").exists() and len(log.items) == 3)
            await until(log, lambda: state_of(log).receipts == ())
        left = {path.name for path in folder.iterdir()}
        done = {path.name for path in (folder / "done").iterdir()}
    assert left == {"link.json", "ends.json.part", ".hidden.json", "other.txt", "deep.json", "done"}
    assert done == {"00000.json", "00001.json", "two\nlines.json", "huge.json"}
    [(item, error)] = log.rejected
    assert (item.payload, error.type) == (b"", "TooLarge")
    assert all("\n" not in (item.url or "") for item in log.items)


@pytest.mark.parametrize("kind", ["sftp", "ftp"])
async def test_a_file_that_still_grows_is_left_until_it_is_whole(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = MemoryLog()
    with serving(kind, tmp_path, 0, monkeypatch, finished="marker", after="delete") as server:
        folder = tmp_path / kind
        (folder / "story.json").write_bytes(story(1)[:50])
        async with watching(log, entry_of(tmp_path, server.table)):
            await until(log, lambda: state_of(log).outcome == "unchanged")
            assert not log.items
            (folder / "story.json").write_bytes(story(1))
            (folder / "story.json.done").touch()
            await until(log, lambda: not list(folder.iterdir()))
    assert [item.payload for item in log.items] == [story(1)]


async def test_a_file_that_is_written_anew_is_another_item(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = MemoryLog()
    with serving("sftp", tmp_path, 1, monkeypatch, after="keep", finished="size") as server:
        async with watching(log, entry_of(tmp_path, server.table)):
            await until(log, lambda: len(log.items) == 1)
            (tmp_path / "sftp" / "00000.json").write_bytes(story(11))
            await until(log, lambda: len(log.items) == 2)
    assert [item.payload for item in log.items] == [story(0), story(11)]


async def test_a_server_with_another_key_gets_no_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
    log = MemoryLog()
    with serving("sftp", tmp_path, 1, monkeypatch, host_key=other) as server:
        async with watching(log, entry_of(tmp_path, server.table)):
            await until(log, lambda: "wire" in log.states)
    assert state_of(log).outcome == "tls"
    assert not log.items


@needs_dovecot
async def test_old_mails_strangers_and_bombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = MemoryLog()
    with serving("imap", tmp_path, 5, monkeypatch, start="new", senders=["*@agency.example"]) as server:
        async with watching(log, entry_of(tmp_path, server.table), told=settings(max_body_bytes=50_000)):
            await until(log, lambda: bool(state_of(log).cursor))
            base = tmp_path / "dovecot"
            deliver(base, 6, mail(6, "stranger@elsewhere.example"))
            deliver(base, 7, mail(7) + b"X" * 100_000)
            deliver(base, 8, mail(8))
            await until(log, lambda: server.told() == {7, 8})
    [item] = log.items
    assert b"quay 8" in item.payload
    assert item.media_type == "message/rfc822"
    [(bomb, error)] = log.rejected
    assert (bomb.payload, error.type) == (b"", "TooLarge")


@pytest.mark.parametrize("kind", ["dpa", "sftp"])
def test_kill_9_loses_and_repeats_nothing(kind: str, tmp_path: Path) -> None:
    report = kill_amid(kind, 60, 2, tmp_path)
    assert report.is_sound, report


@pytest.mark.trial
@pytest.mark.skipif(not os.environ.get("WIRETEST_TRIALS"), reason="long; make trials")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", MARKED)
def test_ten_kills_in_a_thousand_items(kind: str, tmp_path: Path) -> None:
    report = kill_amid(kind, 1000, 10, tmp_path)
    print(report)
    assert report.is_sound, report


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ('kind = "gopher"', "`kind` must be one of"),
        ('preset = "upi"', "no preset is called 'upi'"),
        ('preset = "ap"\nsecrets = { key = "my-own-key" }', "must say where it stands"),
        ('preset = "ap"\nheader = {}', "did you mean 'headers'?"),
        ('preset = "ap"\nconnections = 0', "connections"),
        ('kind = "api"\naddress = "https://user:password@wire.example/"', "no user or password in it"),
        ('kind = "sftp"\nhost = "wire.example"', "name the server's key"),
        (
            'kind = "ftp"\nhost = "wire.example"\nuser = "desk"\ntls = "off"',
            "would send the password in clear",
        ),
        (
            'kind = "imap"\nhost = "wire.example"\nuser = "desk"\ntls = "off"',
            "would send the password in clear",
        ),
        ('preset = "ap"\ntimezone = "Mars"', "no IANA name"),
    ],
)
def test_a_list_that_can_not_be_followed_is_refused_in_one_line(
    table: str, words: str, tmp_path: Path
) -> None:
    from config import Misconfigured

    with pytest.raises(Misconfigured) as refused:
        load_sources(str(write_list(tmp_path, table)))
    message = str(refused.value)
    assert words in message
    assert "[sources.wire]" in message
    assert "my-own-key" not in message
    assert "password@" not in message


def test_a_folder_of_a_mailbox_can_not_smuggle_a_command() -> None:
    with pytest.raises(ValueError, match="modified UTF-7"):
        _place_of(ImapOptions(host="localhost", user=USER, folder='INBOX"\r\nA1 LOGOUT'))


def notice(bucket: str, key: str) -> str:
    told = {
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": bucket}, "object": {"key": key, "eTag": key}},
    }
    return json.dumps({"Records": [told]})


async def test_notices_of_a_bucket_bring_its_objects_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in CLOUD_KEYS.items():
        monkeypatch.setenv(name, value)
    log = MemoryLog()
    with cloud() as (url, bucket, queue):
        for name in ("wires", "secrets"):
            bucket.create_bucket(Bucket=name)
            bucket.put_object(Bucket=name, Key="a story.json", Body=story(1))
        address = queue.create_queue(QueueName="notices")["QueueUrl"]
        bodies = [
            notice("wires", "a+story.json"), json.dumps({"Message": notice("wires", "a+story.json")}),
            notice("secrets", "a+story.json"), notice("wires", "gone.json"), '{"Event": "s3:TestEvent"}', "no notice",
        ]  # fmt: skip
        for body in bodies:
            queue.send_message(QueueUrl=address, MessageBody=body)
        table = f'kind = "sqs"\nqueue = "{address}"\nbucket = "wires"\nendpoint = "{url}"\n{CLOUD_TABLE}'
        async with watching(log, entry_of(tmp_path, table)):
            await until(log, lambda: len(log.rejected) == 3 and len(log.items) == 1)
    assert log.items[0].payload == story(1)
    assert all(story(1) != item.payload for item, _ in log.rejected)
