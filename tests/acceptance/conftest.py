"""The real command, as an operator starts it."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

COMMAND = Path(sys.executable).with_name("wiredesk")
FLAGS: Final = (
    "--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
)  # fmt: skip
START_S: Final = 60.0
DropStory = Callable[..., None]


@pytest.fixture(scope="session")
def wiredesk() -> str:
    """The installed console script."""
    assert COMMAND.is_file(), "install the project into the environment that runs the tests: make test"
    return str(COMMAND)


@pytest.fixture
def environment() -> dict[str, str]:
    """The caller's environment without settings of wiredesk."""
    return {name: value for name, value in os.environ.items() if not name.startswith("WIREDESK_")}


def finished(
    command: list[str], *, given: bytes = b"", environment: dict[str, str], timeout: float = 60
) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end."""
    return subprocess.run(
        command, input=given, capture_output=True, timeout=timeout, check=False, env=environment
    )


def free_port() -> int:
    """A port of loopback that nobody listens on at this moment."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


@pytest.fixture(scope="module")
def drop_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder whose files come to the desk."""
    return tmp_path_factory.mktemp("drop")


@pytest.fixture(scope="module")
def desk(wiredesk: str, tmp_path_factory: pytest.TempPathFactory, drop_folder: Path) -> Iterator[str]:
    """The address of the desk of ``wiredesk run`` with the bundled samples, once they are on it."""
    folder = tmp_path_factory.mktemp("desk")
    command = [wiredesk, "run", "--samples", "--no-feeds", "--data", str(folder), "--port", "0"]
    settings = {"WIREDESK_POLL_DROP_FOLDER": str(drop_folder), "WIREDESK_POLL_DROP_INTERVAL_S": "0.1"}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WIREDESK_")}
    log_path = folder / "log"
    with (
        log_path.open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log, env=environment | settings) as process,
    ):
        try:
            yield wait_for_stories(process, log_path)
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A module's own: its loop runs in this thread, where tests with a loop of their own can't run beside it."""
    chromium = find_chromium()
    if not chromium:
        line = "NOT TESTED in a browser: Chromium is missing (Debian package chromium)"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(line)
        pytest.skip(line)
    with sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails the test where a script fails or the content policy is broken."""
    context = browser.new_context()
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    assert complaints == []


@pytest.fixture(scope="module")
def drop_story(drop_folder: Path) -> DropStory:
    """Send a story to the desk: its number names it, and members of ninjs may be given."""

    def drop(uri: str, headline: str, **members: object) -> None:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        item: dict[str, object] = {
            "uri": uri,
            "type": "text",
            "language": "en",
            "version": "1",
            "headline": headline,
        }
        item |= {"versioncreated": now, "body_text": f"{headline}. Nobody was hurt."} | members
        name = re.sub(r"\W", "-", f"{uri}-{item['version']}")
        (drop_folder / f".{name}").write_text(json.dumps(item), "utf-8")
        (drop_folder / f".{name}").rename(drop_folder / f"{name}.json")

    return drop


def find_chromium() -> str | None:
    """The system's Chromium."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def wait_for_stories(process: subprocess.Popen[bytes], log: Path) -> str:
    """The address of a desk that has the samples."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        text = log.read_text("utf-8")
        assert process.poll() is None, text[-3000:]
        opened = re.search(r"the desk is open .*url=(http://[\d.:]+)/", text)
        if opened and _has_samples(opened[1]):
            return opened[1]
        time.sleep(0.1)
    raise AssertionError(f"no stories within {START_S:g} s; the log ends:\n{log.read_text('utf-8')[-3000:]}")


def _has_samples(url: str) -> bool:
    with urllib.request.urlopen(f"{url}/api/stories?limit=200", timeout=30) as answer:  # noqa: S310 -- our own desk
        return answer.read().count(b'"uri"') >= 20 and _idle(url)


def _idle(url: str) -> bool:
    """Whether nothing waits in the pipeline, so that the list stands still."""
    with urllib.request.urlopen(f"{url}/api/pipeline", timeout=5) as answer:  # noqa: S310 -- our own desk
        return not re.search(rb'"records": [1-9]', answer.read())
