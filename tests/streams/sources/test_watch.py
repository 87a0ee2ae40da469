"""The watch: items and cursor in one commit, receipts only behind it, and servers that fail, hang, repeat and lie."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from msgspec import Struct

from processors.errors import TooLarge
from streams.pollers.feed import Feed
from streams.pollers.feed_health import read_health
from streams.pollers.state import FeedState, pack_state
from streams.sources.declaration import SecretPlaces, SourceEntry
from streams.sources.memory import MAX_KEYS, KeyMemory
from streams.sources.ports import IsKnown, SourceBatch, SourceFault, SourceItem, SourceKind
from streams.sources.watch import MAX_EMPTY_PAGES, MAX_REFUSED_CURSORS
from tests.streams.pollers.conftest import MemoryLog
from tests.streams.sources.agencies import ENVIRONMENT, KEY, Agency, agency, tables
from tests.streams.sources.watching import entry_of, settings, state_of, until, watching


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@dataclass
class Scripted:
    """A source that gives what a test tells it, and writes down what it is asked and told."""

    log: MemoryLog
    script: list[SourceBatch | Exception] = field(default_factory=list)
    cursors: list[str] = field(default_factory=list)
    receipts: list[str] = field(default_factory=list)
    refuse: int = 0
    early: list[str] = field(default_factory=list)  # receipts of what was not in the log

    async def open(self) -> None:
        """Nothing to do."""

    async def close(self) -> None:
        """Nothing to do."""

    async def items(self, cursor: str, is_known: IsKnown) -> SourceBatch:  # noqa: ARG002 -- the contract
        self.cursors.append(cursor)
        self.log.changed.set()
        step = self.script.pop(0) if self.script else SourceBatch((), cursor)
        if isinstance(step, Exception):
            raise step
        return step

    async def commit(self, receipts: Sequence[str]) -> None:
        if self.refuse:
            self.refuse -= 1
            raise SourceFault("connect", "away")
        committed = {item.payload.decode() for item in self.log.items}
        self.early += [receipt for receipt in receipts if receipt not in committed]
        self.receipts += receipts
        self.log.changed.set()

    def entry(self, **common: object) -> SourceEntry:
        kind = SourceKind(Struct, lambda *_: self, lambda _: "")
        feed = replace(Feed("wire", "https://wire.example/", interval=0.02), **common)  # type: ignore[arg-type]
        return SourceEntry(feed, "api", 60.0, SecretPlaces("", {}, Path()), Struct(), kind)


def batch(*names: str, cursor: str = "c", more: bool = False, gap: bool = False) -> SourceBatch:
    items = [SourceItem(name, name.encode()) for name in names]
    return SourceBatch(items, cursor, list(names), more=more, gap=gap)


async def test_receipts_go_out_behind_the_commit_and_again_after_a_fault() -> None:
    log = MemoryLog(refuse=2)
    source = Scripted(log, [batch("a", "b", cursor="2")], refuse=1)
    async with watching(log, source.entry()):
        await until(log, lambda: source.receipts == ["a", "b"])
        await until(log, lambda: state_of(log).receipts == ())
    assert [item.payload for item in log.items] == [b"a", b"b"]
    assert source.early == []
    assert set(source.cursors[1:]) == {"2"}


async def test_what_a_crash_left_due_goes_out_first_and_items_come_once() -> None:
    log = MemoryLog()
    known = KeyMemory().with_keys((), ["a"])
    state = FeedState(polled=1.0, cursor="1", receipts=("a",), keys=known.pack())
    log.states["wire"] = pack_state(state)
    log.items.append(batch("a").items[0])  # type: ignore[arg-type]  # has a payload
    source = Scripted(log, [batch("a", "b", cursor="2")])
    async with watching(log, source.entry()):
        await until(log, lambda: len(source.receipts) == 3)
    assert source.receipts == ["a", "a", "b"]
    assert [item.payload for item in log.items] == [b"a", b"b"]
    assert source.cursors[0] == "1"


async def test_an_item_under_two_cursors_or_twice_in_a_page_comes_once() -> None:
    log = MemoryLog()
    pages = [
        batch("a", "a", cursor="1", more=True),
        batch("a", "b", cursor="2", more=True),
        batch("b", cursor="1"),
    ]
    source = Scripted(log, list(pages))
    async with watching(log, source.entry()):
        await until(log, lambda: len(source.cursors) > 3)
    assert [item.payload for item in log.items] == [b"a", b"b"]


async def test_a_cursor_that_is_refused_for_good_is_given_up_and_a_gap_is_told() -> None:
    log = MemoryLog()
    log.states["wire"] = pack_state(FeedState(polled=1.0, cursor="old form"))
    refusals: list[SourceBatch | Exception] = [SourceFault("cursor", "unknown")] * MAX_REFUSED_CURSORS
    source = Scripted(log, [*refusals, batch("a", cursor="new form")])
    async with watching(log, source.entry()):
        await until(log, lambda: bool(log.items))
    assert source.cursors[: MAX_REFUSED_CURSORS + 1] == ["old form"] * MAX_REFUSED_CURSORS + [""]
    assert [feed for feed, _ in log.gaps] == ["wire"]
    assert state_of(log).cursor == "new form"


async def test_pages_without_end_and_without_items_are_not_turned_for_ever() -> None:
    log = MemoryLog()
    source = Scripted(log, [batch(cursor=str(page), more=True) for page in range(10 * MAX_EMPTY_PAGES)])
    async with watching(log, source.entry(interval=3600.0)):
        await until(log, lambda: state_of(log).next_poll > state_of(log).polled + 60)
    assert len(source.cursors) == MAX_EMPTY_PAGES


async def test_what_is_no_item_goes_to_the_dead_letters_once_and_is_acknowledged() -> None:
    log = MemoryLog()
    broken = SourceItem("x", b"x", "x.xml", fault=TooLarge("too large"))
    twice = SourceBatch([broken], "1", ["x"])
    source = Scripted(log, [twice, twice])
    async with watching(log, source.entry()):
        await until(log, lambda: len(source.receipts) == 2)
    [(item, error)] = log.rejected
    assert (item.feed, item.url, error.type) == ("wire", "x.xml", "TooLarge")
    assert not log.items


async def test_a_document_that_can_never_be_had_is_set_aside_and_the_others_go_on(tmp_path: Path) -> None:
    async with agency(5) as server:

        async def fail(request: web.Request) -> web.StreamResponse | None:
            return web.Response(status=500) if "00002" in request.path else None

        server.hook = fail
        log = MemoryLog()
        entry = entry_of(tmp_path, f'preset = "ap"\n{tables(server.url)["ap"]}')
        async with watching(log, entry):
            await until(log, lambda: len(log.items) == 4 and bool(log.rejected))
    [(item, error)] = log.rejected
    assert b"story-00002" in item.payload
    assert error.type == "Unreadable"


async def test_a_bug_in_one_source_is_its_own_failure() -> None:
    log = MemoryLog()
    source = Scripted(log, [RuntimeError("ours"), batch("a")])
    async with watching(log, source.entry()):
        await until(log, lambda: bool(log.items))
    assert state_of(log).errors == {"bug": 1}


async def test_a_paused_source_is_not_asked_and_health_says_so() -> None:
    log = MemoryLog()
    source, other = Scripted(log, [batch("a")]), Scripted(log, [batch("b")])
    paused = source.entry(paused=True)
    async with watching(log, paused, other.entry(id="other")):
        await until(log, lambda: bool(log.items))
    assert not source.cursors
    assert read_health(paused.feed, b"").state == "paused"


async def test_a_source_that_falls_silent_is_an_alarm_as_of_a_feed() -> None:
    feed = Feed("wire", "https://wire.example/", interval=60.0)
    day = 86_400.0
    state = FeedState(
        outcome="unchanged", polled=30 * day, last_success=30 * day, since=day, last_new=25 * day, usual_items=500.0,
        usual_span=20 * day,
    )  # fmt: skip
    assert read_health(feed, pack_state(state), 30 * day).state == "stalled"


def test_memory_keeps_the_latest_keys_and_survives_damage() -> None:
    memory = KeyMemory().with_keys((), map(str, range(MAX_KEYS + 1)))
    again = KeyMemory.unpack(memory.pack())
    assert "0" not in again
    assert "1" in again
    assert str(MAX_KEYS) in again
    later = again.with_keys(["1"], ["new"])
    assert "1" in later
    assert "2" not in later
    assert "1" not in KeyMemory.unpack("no base64")
    assert "1" not in KeyMemory.unpack("YWJj")  # no whole word


async def outcome(server: Agency, folder: Path, **changed: object) -> FeedState:
    """The state after the first look at the list in JSON."""
    log = MemoryLog()
    entry = entry_of(folder, f'preset = "generic-json"\n{tables(server.url)["generic-json"]}')
    async with watching(log, entry, told=settings(**changed)):
        await until(log, lambda: "wire" in log.states)
    return state_of(log)


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (500, {}, "http_5xx"),
        (503, {"Retry-After": "100"}, "throttled"),
        (429, {"Retry-After": "100"}, "throttled"),
        (404, {}, "http_4xx"),
        (403, {}, "credentials"),
    ],
)
async def test_a_server_that_fails(
    status: int, headers: dict[str, str], expected: str, tmp_path: Path
) -> None:
    async def fail(_: web.Request) -> web.StreamResponse | None:
        return web.Response(status=status, headers=headers)

    async with agency(3) as server:
        server.hook = fail
        state = await outcome(server, tmp_path)
    assert state.outcome == expected
    if headers:
        assert state.next_poll >= state.polled + 99
    if expected == "credentials":
        assert (
            state.next_poll >= state.polled + 0.3
        )  # poll.max_backoff_s of these settings is shorter than five minutes


async def test_a_certificate_that_has_expired(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "wire.example")])
    ended = datetime(2020, 1, 2, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(ended - timedelta(days=1)).not_valid_after(ended).sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate.public_bytes(
        Encoding.PEM
    )
    (tmp_path / "server.pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    asked: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request)
        return web.json_response({"items": []})

    app = web.Application()
    app.router.add_get("/list.json", answer)
    log = MemoryLog()
    server = TestServer(app, host="127.0.0.1", scheme="https")
    await server.start_server(ssl=context)
    try:
        url = str(server.make_url("/")).rstrip("/")
        entry = entry_of(tmp_path, f'preset = "generic-json"\n{tables(url)["generic-json"]}')
        async with watching(log, entry):
            await until(log, lambda: "wire" in log.states)
    finally:
        await server.close()
    assert state_of(log).outcome == "tls"
    assert not asked


async def test_a_server_that_hangs(tmp_path: Path) -> None:
    async def hang(_: web.Request) -> web.StreamResponse | None:
        await asyncio.Event().wait()
        return None

    async with agency(3) as server:
        server.hook = hang
        state = await outcome(server, tmp_path, read_timeout_s=0.2)
    assert state.outcome == "timeout"


@pytest.mark.parametrize(
    "body", [b"<html>", b"[1, 2", b"\xff\xfe", b'{"items": 7}', b"null", b'{"items": [null, 3, "x", {}]}']
)
async def test_a_server_that_answers_something_else(body: bytes, tmp_path: Path) -> None:
    async def lie(_: web.Request) -> web.StreamResponse | None:
        return web.Response(body=body, content_type="application/json")

    async with agency(3) as server:
        server.hook = lie
        state = await outcome(server, tmp_path)
    assert state.outcome in {"malformed", "unchanged", "new"}
    assert "bug" not in state.errors


async def test_a_page_larger_than_an_item_may_be_is_not_read_to_its_end(tmp_path: Path) -> None:
    async with agency(100) as server:
        state = await outcome(server, tmp_path, max_body_bytes=1000)
    assert state.outcome == "too_large"


async def test_a_next_page_elsewhere_gets_no_secret(tmp_path: Path) -> None:
    async with agency(3) as server, agency(3) as thief:

        async def lead_away(request: web.Request) -> web.StreamResponse | None:
            return web.json_response(
                {"items": [{"id": "1", "version": "1"}], "next": f"{thief.url}/list.json"}
            )

        server.hook = lead_away
        log = MemoryLog()
        entry = entry_of(tmp_path, f'preset = "generic-json"\n{tables(server.url)["generic-json"]}')
        async with watching(log, entry):
            await until(log, lambda: "cursor" in state_of(log).errors)
        assert not thief.asked


async def test_a_document_elsewhere_is_fetched_without_the_secret(tmp_path: Path) -> None:
    async with agency(3) as server, agency(3) as other:

        async def lead_away(request: web.Request) -> web.StreamResponse | None:
            item = f'<item id="1" version="1"><doc href="{other.url}/ap/story-00001/nitf"/></item>'
            return web.Response(text=f"<list>{item}</list>", content_type="application/xml")

        server.hook = lead_away
        log = MemoryLog()
        entry = entry_of(tmp_path, f'preset = "generic-xml"\n{tables(server.url)["generic-xml"]}')
        async with watching(log, entry):
            await until(log, lambda: bool(log.rejected))
        assert all(KEY not in str(headers) for _, _, headers in other.asked)


async def test_a_secret_in_the_next_link_is_not_remembered(tmp_path: Path) -> None:
    async with agency(3) as server:

        async def with_key(request: web.Request) -> web.StreamResponse | None:
            after = int(request.query.get("after", 0))
            assert request.query.get("apikey", KEY) == KEY
            items = [{"id": str(after), "version": "1", "uri": "tag:a", "type": "text"}] if after < 3 else []
            return web.json_response({"items": items, "next": f"/list.json?apikey={KEY}&after={after + 1}"})

        server.hook = with_key
        log = MemoryLog()
        entry = entry_of(tmp_path, f'preset = "generic-json"\n{tables(server.url)["generic-json"]}')
        async with watching(log, entry):
            await until(log, lambda: len(log.items) == 3)
    assert KEY.encode() not in log.states["wire"]
    assert "{key}" in state_of(log).cursor


async def test_a_link_that_asks_for_a_secret_of_another_server_gets_none(tmp_path: Path) -> None:
    async with agency(3) as server:

        async def ask(_: web.Request) -> web.StreamResponse | None:
            return web.json_response(
                {"items": [{"id": "1", "version": "1"}], "next": "/list.json?give={key}"}
            )

        server.hook = ask
        state = await outcome(server, tmp_path)
    assert state.outcome == "malformed"
    assert len(server.asked) == 1


async def test_a_server_that_goes_back_in_time_brings_nothing_twice(tmp_path: Path) -> None:
    log = MemoryLog()
    async with agency(30, page=10) as server:
        entry = entry_of(tmp_path, f'preset = "generic-json"\n{tables(server.url)["generic-json"]}')
        async with watching(log, entry):
            await until(log, lambda: len(log.items) == 30)

            async def rewind(request: web.Request) -> web.StreamResponse | None:
                if int(request.query.get("after", 0)) < 30:
                    return None
                return web.json_response({"items": [], "next": "/list.json?after=0"})

            server.hook = rewind
            asked = len(server.asked)
            await until(log, lambda: len(server.asked) > asked + 8)
    assert len(log.items) == 30
