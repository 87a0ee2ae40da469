"""``wiredesk run`` polls real feed documents, served on loopback: each ends as stories or as a typed outcome."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import feedparser
import pytest

from tests.servers.http import publishing

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(420)]
CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "corpus" / "feeds"
READ = 2  # entries of each document, so that the test stays quick
ODD = {
    "page": (
        b"<!DOCTYPE html><html><head><title>Soon</title></head><body>Back soon.</body></html>",
        "not_a_feed",
    ),
    "nothing": (b"", "empty"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "not_a_feed"),
    "half-json": (b'{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", ', "malformed"),
    "invoice": (b"<?xml version='1.0'?><invoice><total>3</total></invoice>", "not_a_feed"),
    "quiet": (b"<rss version='2.0'><channel><title>Quiet</title></channel></rss>", "unchanged"),
    "cut": (
        b"<rss version='2.0'><channel><item><title>The ferry to Samso runs again</title><guid>cut-1</guid></item><item><ti",
        "truncated",
    ),
    "endless": (b"<rss version='2.0'><channel>" + b" " * 3_000_000, "too_large"),
}


def readable(body: bytes) -> int:
    """How many entries feedparser finds that have something to say."""
    entries = feedparser.parse(body, sanitize_html=False, resolve_relative_uris=False).entries
    return sum(bool(entry.get("title") or entry.get("summary") or entry.get("content")) for entry in entries)


def outcomes(wiredesk: str, environment: dict[str, str], folder: Path) -> dict[str, str]:
    """The last outcome of each feed, as ``wiredesk feeds list`` tells it."""
    command = [
        wiredesk,
        "feeds",
        "list",
        "--feeds",
        str(folder / "feeds.toml"),
        "--data",
        str(folder / "data"),
    ]
    told = subprocess.run(command, capture_output=True, check=True, env=environment).stdout.decode()
    rows = [line.split("\t") for line in told.splitlines()]
    return {row[0]: row[2] for row in rows}


def polled(
    wiredesk: str, environment: dict[str, str], folder: Path, documents: dict[str, bytes], wanted: set[str]
) -> list[dict[str, Any]]:
    """The events of a run over the documents, ended once all wanted feeds have brought a story, or nothing more comes."""
    out, log = folder / "events.jsonl", folder / "log"
    with publishing(lambda asked: (documents[asked[0]], {})) as port, log.open("wb") as stream:
        address = f"127.0.0.1:{port}"
        (folder / "feeds.toml").write_text(
            "".join(f'[[feeds]]\nid = "{name}"\nurl = "http://{address}/{name}"\n' for name in documents)
        )
        (folder / "settings.toml").write_text(
            f"[poll]\nhost_delay_s = 0.0\nmax_entries = {READ}\nmax_body_bytes = 2000000\n"
            f'allowed_addresses = ["{address}"]\n'
        )
        command = [
            wiredesk,
            "run",
            "--config",
            str(folder / "settings.toml"),
            "--feeds",
            str(folder / "feeds.toml"),
        ]
        command += ["--data", str(folder / "data"), "--no-desk", "--events", str(out)]
        with subprocess.Popen(command, stdout=stream, stderr=stream, env=environment) as process:
            quiet, size = time.monotonic(), -1
            while process.poll() is None and time.monotonic() - quiet < 60:
                time.sleep(0.2)
                if out.exists() and out.stat().st_size != size:
                    quiet, size = time.monotonic(), out.stat().st_size
                    if wanted <= {event["provenance"]["feed"] for event in events(out)}:
                        break
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0, log.read_text()[-3000:]
    return events(out)


def events(path: Path) -> list[dict[str, Any]]:
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    return [event for event in map(json.loads, lines) if "story" in event]


def test_every_feed_that_can_be_read_ends_as_stories(
    wiredesk: str, environment: dict[str, str], tmp_path: Path
) -> None:
    if not CORPUS.is_dir():
        pytest.skip(f"the shared corpus of feeds is not at {CORPUS}")
    documents = {path.name: path.read_bytes() for path in sorted(CORPUS.iterdir())}
    wanted = {name for name, body in documents.items() if readable(body)}
    assert len(wanted) > 90
    found = polled(wiredesk, environment, tmp_path, documents, wanted)
    assert wanted - {event["provenance"]["feed"] for event in found} == set()
    told = outcomes(wiredesk, environment, tmp_path)
    assert {name for name in documents if told[name] == "-"} == set()


def test_what_is_no_sound_feed_ends_as_a_typed_outcome(
    wiredesk: str, environment: dict[str, str], tmp_path: Path
) -> None:
    good = b"<rss version='2.0'><channel><item><title>The bridge at Vejle is open</title><guid>g-1</guid></item></channel></rss>"
    documents = {"good": good} | {name: body for name, (body, _) in ODD.items()}
    found = polled(wiredesk, environment, tmp_path, documents, {"good", "cut"})
    assert {event["headline"] for event in found} == {
        "The bridge at Vejle is open",
        "The ferry to Samso runs again",
    }
    ended = outcomes(wiredesk, environment, tmp_path)
    assert {name: ended[name] for name in ODD} == {name: outcome for name, (_, outcome) in ODD.items()}
    letters = subprocess.run(
        [wiredesk, "dlq", "list", "--data", str(tmp_path / "data")],
        capture_output=True,
        check=True,
        env=environment,
    ).stdout.decode()
    assert all(error in letters for error in ("NotAFeed", "Empty", "NotText", "Malformed", "UnknownFormat"))
