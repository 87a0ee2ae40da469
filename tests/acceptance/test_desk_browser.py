"""The desk in a real browser: the live list, search, keys, choices, stories, with and without script.

Without Chromium the tests are skipped with one line that says so; with ``CI=true`` that is a failure.
"""

from __future__ import annotations

import re
from urllib.parse import urljoin

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.acceptance.conftest import DropStory

pytestmark = [pytest.mark.browser, pytest.mark.acceptance]


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
    cluster = page.locator(".story a.cluster").first.get_attribute("href") or ""
    for path in ("/", story, cluster, "/feeds", "/rising", "/?q=nothinglikethis"):
        page.goto(urljoin(desk, path))
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    context.close()


def test_the_list_takes_in_what_fits_and_nothing_else(desk: str, page: Page, drop_story: DropStory) -> None:
    page.goto(f"{desk}/?q=quokka")
    expect(page.locator(".live")).to_contain_text("Live")
    drop_story("urn:live:1", "Quokka crosses the harbour")
    expect(page.locator("#list .story")).to_have_count(1, timeout=60_000)
    expect(page.locator(".story.unread")).to_have_count(1)
    page.keyboard.press(".")
    drop_story("urn:live:2", "Numbat crosses the harbour")
    drop_story("urn:live:3", "Quokka comes back")
    expect(page.locator(".state")).to_contain_text("New stories: 1", timeout=60_000)
    expect(page).to_have_title(re.compile(r"^\(1\)"))
    expect(page.locator("#list .story")).to_have_count(1)
    page.keyboard.press(".")
    expect(page.locator("#list .story h2")).to_have_text(["Quokka comes back", "Quokka crosses the harbour"])
    page.reload()
    expect(page.locator("#list .story h2")).to_have_text(["Quokka comes back", "Quokka crosses the harbour"])


def test_a_kill_is_shown_over_a_paused_list_until_it_is_seen(
    desk: str, page: Page, drop_story: DropStory
) -> None:
    drop_story("urn:killed:1", "Wombat elected mayor", urgency=1)
    page.goto(f"{desk}/?q=wombat")
    expect(page.locator(".story .band.flash")).to_have_text(re.compile("Flash"), timeout=60_000)
    page.keyboard.press(".")
    drop_story("urn:killed:1", "Wombat elected mayor", version="2", pubstatus="canceled")
    expect(page.locator("#killed [role=alert]")).to_contain_text("Wombat elected mayor", timeout=60_000)
    expect(page.locator("#list .story .band.killed")).to_have_text("Killed: do not use")
    page.locator("#killed button").click()
    expect(page.locator("#killed [role=alert]")).to_have_count(0)


def test_a_version_that_no_longer_fits_says_so(desk: str, page: Page, drop_story: DropStory) -> None:
    drop_story("urn:gone:1", "Bilby found in Ashmere")
    page.goto(f"{desk}/?q=headline:bilby")
    expect(page.locator("#list .story")).to_have_count(1, timeout=60_000)
    drop_story("urn:gone:1", "Rabbit found in Ashmere", version="2")
    expect(page.locator("#list .story .band.gone")).to_have_text("No longer fits", timeout=60_000)


def test_the_keyboard_does_everything(desk: str, page: Page) -> None:
    page.goto(desk)
    expect(page.locator(".live")).to_contain_text("Live")
    page.keyboard.press("?")
    expect(page.locator("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    second = page.locator(".story h2 a").nth(1)
    expect(second).to_be_focused()
    page.keyboard.press("k")
    expect(page.locator(".story h2 a").first).to_be_focused()
    headline = page.locator(".story h2 a").first.inner_text()
    page.keyboard.press("o")
    expect(page.locator("h1")).to_have_text(headline)
    page.keyboard.press("u")
    expect(page.locator("#list")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("f")
    page.wait_for_url("**/feeds")
    page.keyboard.press("g")
    page.keyboard.press("l")
    expect(page.locator("#list")).to_be_visible()
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()


def test_story_and_list_stand_side_by_side(desk: str, page: Page) -> None:
    page.set_viewport_size({"width": 1600, "height": 900})
    page.goto(desk)
    page.keyboard.press("p")
    page.keyboard.press("j")
    headline = page.locator(".story h2 a").first.inner_text()
    story = page.frame_locator(".pane iframe")
    expect(story.locator("h1")).to_have_text(headline)
    expect(story.locator(".top")).to_be_hidden()
    story.locator("h1").click()
    page.keyboard.press("j")
    expect(page.locator(".story").nth(1)).to_have_attribute("aria-current", "true")
    page.set_viewport_size({"width": 800, "height": 900})
    expect(page.locator(".pane")).to_be_hidden()


def test_the_ticker_is_a_window_of_its_own(desk: str, page: Page) -> None:
    page.goto(f"{desk}/?language=en")
    with page.expect_popup() as popup:
        page.locator(".ticker").click()
    expect(popup.value.locator("main.ticker .story").first).to_be_visible()
    assert popup.value.url.endswith("/ticker?language=en")


def test_choices_hold_with_and_without_script(desk: str, browser: Browser) -> None:
    for has_script in (True, False):
        context = browser.new_context(java_script_enabled=has_script)
        page = context.new_page()
        page.goto(f"{desk}/?language=en")
        page.locator(".display summary").click()
        page.select_option(".display select[name=theme]", "dark")
        if not has_script:
            page.select_option(".display select[name=language]", "ar")
            page.locator(".display button").first.click()
            expect(page.locator("html")).to_have_attribute("dir", "rtl")
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        assert page.url == f"{desk}/?language=en"
        page.goto(f"{desk}/feeds")
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        context.close()


def test_times_are_in_the_readers_zone(desk: str, browser: Browser) -> None:
    context = browser.new_context(timezone_id="Asia/Kathmandu", locale="de-DE")
    page = context.new_page()
    page.goto(f"{desk}/?q=storm")
    time = page.locator(".story .when").first
    expect(time).to_contain_text("vor")
    utc = (time.get_attribute("datetime") or "")[11:16]
    minutes = (int(utc[:2]) * 60 + int(utc[3:]) + 345) % 1440
    expect(time).to_contain_text(f"{minutes // 60:02}:{minutes % 60:02}")
    context.close()


@pytest.mark.parametrize("choices", ["light", "dark", "contrast", "ar"])
def test_every_page_keeps_wcag(desk: str, browser: Browser, choices: str) -> None:
    """axe-core with the rules of WCAG 2.2 AA."""
    context = browser.new_context(
        color_scheme="dark" if choices in {"dark", "contrast"} else "light",
        reduced_motion="reduce",
        locale="ar" if choices == "ar" else "en",
    )
    theme = "contrast" if choices == "contrast" else "auto"
    context.add_cookies([{"name": "wiredesk_display", "value": f".{theme}", "url": desk}])
    page = context.new_page()
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
    page.goto(desk)
    story = page.locator(".story h2 a").first.get_attribute("href") or ""
    faults = []
    paths = ["/", story]
    if choices in {"light", "dark"}:
        cluster = page.locator(".story a.cluster").first.get_attribute("href") or ""
        paths += ["/?q=ferry", "/feeds", "/rising", cluster, "/ticker", "/nothing", "/login"]
        paths += [
            "/pipeline",
            "/dead-letters",
            "/changes",
            "/api",
            f"/explain?uri={story.partition('/stories/')[2]}",
        ]
    for path in paths:
        page.goto(urljoin(desk, path))
        result = Axe().run(page, options=rules)
        faults += [
            f"{path}: {fault['id']}: {fault['nodes'][0]['html'][:200]}"
            for fault in result.response["violations"]
        ]
    context.close()
    assert faults == []


def test_a_first_screen_says_that_it_shows_samples_and_names_an_event_of_several_agencies(
    desk: str, page: Page
) -> None:
    page.goto(desk)
    expect(page.locator(".first-steps")).to_contain_text("These are samples.")
    page.locator(".first-steps a").click()
    expect(page.locator("main dt").last).to_have_text("Where the data lies")
    page.goto(f"{desk}/?q=footbridge&grouped=1")
    expect(page.locator(".story a.cluster").first).to_have_text("first by AFP, in all from 3")


def test_a_story_is_read_with_its_marks_its_versions_and_other_reports_and_copied(
    desk: str, browser: Browser
) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{desk}/?q=copper")
    page.locator(".story h2 a", has_text="UPDATE 1").click()
    name = page.locator(".copy .name").first
    marked = name.evaluate("(element) => getComputedStyle(element).backgroundColor")
    page.uncheck("#show-names")
    expect(name).not_to_have_css("background-color", marked)
    page.get_by_role("link", name="Copy as text").click()
    expect(page.locator(".copied")).to_have_text("Copied")
    assert "Quebrada Fr\u00eda" in page.evaluate("navigator.clipboard.readText()")
    expect(page.locator(".side svg.world circle").first).to_be_visible()
    page.get_by_role("button", name="What changed").click()
    expect(page.locator(".difference ins").first).to_be_visible()
    page.goto(f"{desk}/?q=footbridge")
    page.locator(".story h2 a", has_text="Barge hits Lyon").click()
    page.locator(".reports p a").click()
    expect(page.locator(".overview tbody th")).to_have_text(["AFP", "dpa", "Reuters"])
    expect(page.locator(".added blockquote").first).to_be_visible()
    context.close()


def test_what_is_rising_is_a_table_and_a_map(desk: str, page: Page) -> None:
    page.goto(f"{desk}/rising?window=24")
    expect(page.locator("main tbody th", has_text="Honorine Delacroix").first).to_be_visible()
    assert (
        page.locator("svg.world circle").count() == page.locator("[aria-label=Places] tbody tr").count() > 5
    )
    page.get_by_role("link", name="3 h").click()
    expect(page.locator(".windows [aria-current]")).to_have_text("3 h")
    expect(page.locator("main .bars path").first).to_be_visible()


def test_the_first_page_is_small(desk: str, page: Page) -> None:
    page.goto(desk)
    expect(page.locator(".live")).to_contain_text("Live")
    sizes: dict[str, int] = page.evaluate(
        "Object.fromEntries(performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation'))"
        ".map((entry) => [entry.name, entry.decodedBodySize]))"
    )
    rows = page.locator("#list .story").count()
    assert rows >= 30
    row_bytes = page.evaluate("fetch('/?part=list').then((answer) => answer.text())").encode()
    assert sum(sizes.values()) + len(row_bytes) * (50 - rows) / rows < 100_000, sizes


def _open_one_with(page: Page, desk: str, selector: str) -> None:
    """Open the first listed story whose page has something."""
    page.goto(desk)
    for link in [each.get_attribute("href") or "" for each in page.locator(".story h2 a").all()]:
        page.goto(urljoin(desk, link))
        if page.locator(selector).count():
            return
    raise AssertionError(f"no story has {selector}")
