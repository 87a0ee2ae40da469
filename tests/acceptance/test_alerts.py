"""Alerts of ``wiredesk run``: each goes out once, over kill -9 at every moment of its way."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import orjson
import pytest

from sinks.alerts.saved import AlertRule, AlertTarget, SavedSearch, with_signing_key
from sinks.sqlite.alerts import AlertTables
from streams.embedded.data_file import DATABASE
from streams.embedded.log import Log
from tests.acceptance.test_run import running, settings, until

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(240)]


class Receiver:
    """What a webhook got. While `is_stuck` it answers nothing, as if the line were dead."""

    def __init__(self) -> None:
        self.begun: Counter[str] = Counter()
        self.taken: Counter[str] = Counter()
        self.kinds: dict[str, str] = {}
        self.uris: list[tuple[str, str]] = []
        self.answers = threading.Event()

    def take(self, headers: dict[str, str], body: bytes) -> None:
        name, message = headers["webhook-id"], orjson.loads(body)
        self.begun[name] += 1
        self.answers.wait(120)
        self.taken[name] += 1
        self.kinds[name] = message["kind"]
        self.uris += [(story["uri"], story["key"]) for story in message["stories"]]


@contextmanager
def receiving(receiver: Receiver) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.take(dict(self.headers), body)
            try:
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()
            except OSError:  # who asked was killed
                return

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield int(server.server_port)
        finally:
            receiver.answers.set()
            server.shutdown()
            thread.join()


def save_search(data: Path, search: SavedSearch) -> None:
    data.mkdir(exist_ok=True)
    log = Log(data / DATABASE)
    with log.transaction():
        AlertTables(log.connection).save_search(search, 10)
    log.close()


def drop(folder: Path, name: str, headline: str) -> None:
    item = {
        "uri": f"urn:harbour:{name}",
        "headline": headline,
        "body_text": f"{headline}. The harbour of Veldhaven said so {name}.",
    }
    (folder / f".{name}").write_bytes(orjson.dumps(item))
    (folder / f".{name}").rename(folder / f"{name}.json")


def test_an_alert_goes_out_once_over_kill_9(wiredesk: str, tmp_path: Path) -> None:
    receiver, data, incoming = Receiver(), tmp_path / "data", tmp_path / "in"
    incoming.mkdir()
    with receiving(receiver) as port:
        target = AlertTarget("webhook", f"http://127.0.0.1:{port}/")
        search = SavedSearch("s", "Harbour", "harbour", alert=AlertRule((target,)))
        save_search(data, with_signing_key(search)[0])
        config = settings(
            tmp_path,
            f'[poll]\ndrop_folder = "{incoming}"\n[webhooks]\nallowed_addresses = ["127.0.0.1:{port}"]\n'
            "first_delay_s = 0.1\nmax_delay_s = 0.5\n",
        )
        command = [wiredesk, "run", "--config", str(config), "--no-feeds", "--no-desk", "--data", str(data)]
        log = tmp_path / "log"
        with running(*command, log=log) as process:
            until(lambda: b"wiredesk runs" in log.read_bytes(), 60, process, log)
            drop(incoming, "one", "Ferry stops at noon for a storm")
            until(lambda: len(receiver.begun) == 1, 60, process, log)
            process.kill()  # the message is on its way, and nobody knows whether it arrived
        receiver.answers.set()
        log = tmp_path / "log-2"
        with running(*command, log=log) as process:
            until(lambda: max(receiver.begun.values()) == 2, 60, process, log)
            drop(incoming, "two", "Lighthouse keeper paints the old tower blue")
            until(lambda: len(receiver.taken) == 2, 60, process, log)
            until(lambda: not waiting(data), 60, process, log)
            process.kill()  # everything is committed
        log = tmp_path / "log-3"
        with running(*command, log=log) as process:
            until(lambda: b"wiredesk runs" in log.read_bytes(), 60, process, log)
            drop(incoming, "three", "Copper is found below the market square")
            until(lambda: len(receiver.taken) == 3, 60, process, log)
    assert sorted(receiver.begun.values()) == [1, 1, 2], "only what was on its way at the kill came twice"
    first = max(receiver.begun, key=lambda name: receiver.begun[name])
    assert receiver.kinds[first] == "story"
    assert len(set(receiver.uris)) == 3


def waiting(data: Path) -> int:
    log = Log(data / DATABASE)
    try:
        return len(AlertTables(log.connection).open_messages(10))
    finally:
        log.close()
