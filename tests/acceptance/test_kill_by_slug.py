"""A kill that names its story by the slug alone: the desk shows the story as killed, routes and webhooks get the kill."""

from __future__ import annotations

import base64
import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from lxml import html

from tests.acceptance.conftest import free_port
from tests.acceptance.test_run import at_least, events, running, settings, until

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(120)]
STORY = """\x16\x16\x01a0412 \x1f
r i BC-Gannet-Ferry 03-02 0085
\x02^BC-Gannet-Ferry,0085<
^Night ferry leaves again<
^By IDA VANE=<
^Quexon News=<
   PORT ELLERY (QXN) _ The night ferry to Gannet Island left on Monday after a week of storms.<
   It carried forty cars and a circus, the harbour council said.<
\x03QX-PE-03-02-26 1530EST
"""
KILL = """\x16\x16\x01a0415 \x1f
b i BC-Gannet-Ferry,KILL 03-02 0040
\x02^BC-Gannet-Ferry, KILL,0040<
^EDITORS:<
   Kill BC-Gannet-Ferry, Port Ellery. The ferry has not left.<
   A kill is mandatory.<
   Make certain the story is not published.<
^Quexon News<
\x03QX-PE-03-02-26 1730EST
"""
LOST = KILL.replace("a0415", "a0417").replace("Gannet-Ferry", "Lighthouse-Cat")


@contextmanager
def receiving(port: int) -> Iterator[list[dict[str, Any]]]:
    """What is posted to a port of loopback."""
    posted: list[dict[str, Any]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", port), Receiver)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield posted
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def shown(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 -- our own desk
        return answer.read().decode()  # type: ignore[no-any-return]


def alerts(url: str) -> list[str]:
    found = html.document_fromstring(shown(url)).cssselect(".alert[role=alert]")
    return [" ".join(str(element.xpath("string()")).split()) for element in found]


def test_a_kill_by_slug_takes_its_story_from_the_desk_and_goes_where_it_went(
    wiredesk: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop, log, written, port, hook = (
        tmp_path / "drop",
        tmp_path / "log",
        tmp_path / "events",
        free_port(),
        free_port(),
    )
    drop.mkdir()
    (tmp_path / "routes.toml").write_text('[routes.all]\nrelations = ["new", "update"]\n', "utf-8")
    (tmp_path / "hooks.toml").write_text(
        f'[webhooks.paper]\nurl = "http://127.0.0.1:{hook}/"\nroute = "all"\n', "utf-8"
    )
    monkeypatch.setenv("WIREDESK_WEBHOOK_PAPER_SECRET", "whsec_" + base64.b64encode(bytes(32)).decode())
    config = settings(
        tmp_path,
        f'[poll]\ndrop_folder = "{drop}"\ndrop_interval_s = 0.1\n[routes]\nfile = "routes.toml"\n'
        f'[webhooks]\nfile = "hooks.toml"\nallowed_addresses = ["127.0.0.1:{hook}"]\n',
    )
    command = [
        wiredesk, "run", "--no-feeds", "--config", str(config), "--data", str(tmp_path / "data"), "--port", str(port),
        "--events", str(written),
    ]  # fmt: skip
    desk = f"http://127.0.0.1:{port}"
    with receiving(hook) as posted, running(*command, log=log) as process:
        (drop / "1.txt").write_text(STORY, "ascii")
        until(at_least(written, 1), 60, process, log)
        until(lambda: len(posted) == 1, 30, process, log)
        assert json.loads(shown(f"{desk}/api/stories?q=circus"))["stories"]
        (drop / "2.txt").write_text(KILL, "ascii")
        until(lambda: len(posted) == 2, 30, process, log)
        until(at_least(written, 2), 30, process, log)
        story, kill = events(written)
        assert kill["lineage"]["relation"] == "kill"
        assert kill["lineage"]["of"] == story["story"]["uri"] == kill["lineage"]["story"]
        assert [event["lineage"]["relation"] for event in posted] == ["new", "kill"]
        assert [event["story"]["uri"] for event in posted] == [story["story"]["uri"], kill["story"]["uri"]]
        (alert,) = alerts(f"{desk}/stories/{quote(story['story']['uri'], safe='')}")
        assert alert.startswith("Killed.")
        assert json.loads(shown(f"{desk}/api/stories?q=circus"))["stories"] == []
        assert alerts(f"{desk}/") == []
        (drop / "3.txt").write_text(LOST, "ascii")
        until(at_least(written, 3), 30, process, log)
        assert "A kill reaches no story" in alerts(f"{desk}/")[0]
        figures = shown(f"{desk}/metrics")
        assert 'wire_kills_total{outcome="unreached"} 1.0' in figures
        assert 'wire_kills_total{outcome="reached"} 1.0' in figures
        assert len(posted) == 2
