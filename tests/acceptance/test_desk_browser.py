"""The desk in a real browser: read the list, search, open a story, with and without script.

Without Chromium the tests are skipped with one line that says so; with ``CI=true`` that is a failure.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

pytestmark = [pytest.mark.browser, pytest.mark.acceptance]
FLAGS: Final = (
    "--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
)  # fmt: skip
START_S: Final = 60.0


@pytest.fixture(scope="module")
def desk(wiredesk: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the desk of ``wiredesk run`` with the bundled samples, once they are on it."""
    folder = tmp_path_factory.mktemp("desk")
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    command = [wiredesk, "run", "--samples", "--no-feeds", "--data", str(folder), "--port", str(port)]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            _wait_for_stories(url, process, folder / "log")
            yield url
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
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


def test_the_list_leads_by_a_search_to_a_story(desk: str, page: Page) -> None:
    page.goto(desk)
    expect(page.locator(".live")).to_contain_text("Live")
    headline = page.locator(".story h2").first.inner_text()
    word = max(re.findall(r"\w+", headline), key=len)
    page.keyboard.press("/")
    page.keyboard.type(word)
    page.keyboard.press("Enter")
    expect(page.locator("mark").first).to_be_visible()
    found = page.locator(".story h2 a", has_text=headline)
    found.first.click()
    expect(page.locator("h1")).to_have_text(headline)
    expect(page.locator(".segment").first).to_be_visible()


def test_names_lead_to_the_stories_that_name_them(desk: str, page: Page) -> None:
    _open_one_with(page, desk, ".side .name")
    name = page.locator(".side .name").first
    told = name.inner_text()
    name.click()
    expect(page.locator("input[name=entity]")).to_have_value(told)
    expect(page.locator(".story").first).to_be_visible()


def test_segments_are_shown_on_request(desk: str, page: Page) -> None:
    _open_one_with(page, desk, ".segment.dateline")
    dateline = page.locator(".segment.dateline")
    expect(dateline).to_have_css("display", "inline")
    page.check("#show-segments")
    expect(dateline).to_have_css("display", "block")


def test_a_filter_applies_when_it_is_chosen(desk: str, page: Page) -> None:
    page.goto(desk)
    before = page.locator(".story").count()
    page.select_option(".filters select[name=language]", index=1)
    page.wait_for_url("**/?*language=*")
    assert 0 < page.locator(".story").count() < before


def test_everything_works_without_script(desk: str, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(desk)
    headline = page.locator(".story h2").first.inner_text()
    page.fill("input[name=q]", max(re.findall(r"\w+", headline), key=len))
    page.click(".find button")
    page.locator(".story h2 a", has_text=headline).first.click()
    assert page.locator("h1").inner_text() == headline
    page.click("nav >> text=Feeds")
    assert page.locator("h1").inner_text() == "Feeds"
    context.close()


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (768, "light"), (1440, "dark")])
def test_no_page_is_wider_than_the_screen(desk: str, browser: Browser, width: int, scheme: str) -> None:
    context: BrowserContext = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    page = context.new_page()
    page.goto(desk)
    story = page.locator(".story h2 a").first.get_attribute("href") or ""
    for path in ("/", story, "/feeds", "/?q=nothinglikethis"):
        page.goto(urljoin(desk, path))
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    context.close()


def _open_one_with(page: Page, desk: str, selector: str) -> None:
    """Open the first listed story whose page has something."""
    page.goto(desk)
    for link in [each.get_attribute("href") or "" for each in page.locator(".story h2 a").all()]:
        page.goto(urljoin(desk, link))
        if page.locator(selector).count():
            return
    raise AssertionError(f"no story has {selector}")


def _wait_for_stories(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text("utf-8")[-3000:]
        try:
            with urllib.request.urlopen(f"{url}/api/stories?limit=200", timeout=5) as answer:  # noqa: S310 -- our own desk
                if answer.read().count(b'"uri"') >= 20 and _idle(url):
                    return
        except urllib.error.URLError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"no stories within {START_S:g} s; the log ends:\n{log.read_text('utf-8')[-3000:]}")


def _idle(url: str) -> bool:
    """Whether nothing waits in the pipeline, so that the list stands still."""
    with urllib.request.urlopen(f"{url}/api/pipeline", timeout=5) as answer:  # noqa: S310 -- our own desk
        return not re.search(rb'"records": [1-9]', answer.read())


def _free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])
