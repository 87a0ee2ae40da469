"""What the desk says stands in every one of its languages."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from gettext import GNUTranslations
from pathlib import Path

import pytest
from babel.messages.catalog import Message

from sinks.desk.display import LANGUAGE_NAMES, choose_display, load_messages, load_templates, read_display
from streams.generate.messages import (
    TRANSLATED_LANGUAGES,
    catalog_path,
    extract_messages,
    find_untranslated,
    read_catalog,
)
from tests.sinks.conftest import Shelf
from tests.sinks.desk.conftest import Client
from tests.sinks.events import event

DESK = Path(__file__).parents[3] / "sinks" / "desk"
# Beside letters: what every font has that a system ships. Other signs are SVG.
COMMON_SIGNS = set("–—‘’“”„«»…·×€°§ \u00a0")


@pytest.mark.parametrize("language", TRANSLATED_LANGUAGES)
def test_every_message_is_translated_into_every_language(language: str) -> None:
    assert list(find_untranslated(language)) == []


@pytest.mark.parametrize("language", TRANSLATED_LANGUAGES)
def test_a_translation_has_the_places_of_its_message_and_no_markup(language: str) -> None:
    catalog = read_catalog(language)
    for message in extract_messages():
        if not message.id:
            continue
        present = catalog[message.id]
        for text in strings_of(present):
            ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
            allowed = [set(places_of(each)) for each in ids]
            # Arabic says one and two without a figure
            assert set(places_of(text)) in allowed or (len(ids) == 2 and not places_of(text)), text
            assert "<" not in text, text
            assert ('"' in text) <= ('"' in ids[0]), text


def strings_of(message: Message) -> tuple[str, ...]:
    return tuple(message.string) if isinstance(message.string, tuple | list) else (message.string or "",)


def places_of(text: str) -> list[str]:
    return re.findall(r"%\(\w+\)s|\{\w+\}|%%", text)


@pytest.mark.parametrize("language", TRANSLATED_LANGUAGES)
def test_the_compiled_catalogue_is_the_one_that_translators_edit(language: str) -> None:
    with catalog_path(language).with_suffix(".mo").open("rb") as file:
        compiled = GNUTranslations(file)
    for message in read_catalog(language):
        if isinstance(message.id, str) and message.id:
            assert compiled.gettext(message.id) == message.string
        elif message.id:
            assert compiled.ngettext(message.id[0], message.id[1], 5) in strings_of(message)


def test_pages_have_no_sign_that_a_font_may_lack() -> None:
    for path in [*DESK.rglob("*.html"), *DESK.rglob("*.css"), *DESK.rglob("*.js")]:
        signs = {sign for sign in path.read_text("utf-8") if ord(sign) > 127 and not sign.isalpha()}
        assert signs <= COMMON_SIGNS, path


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de"), ("ja, pt-BR;q=0.7, en;q=0.1", "pt"), ("ar", "ar"), ("", "en"),
        ("ja", "en"), ("de;q=0, fr", "fr"), ("es;q=x,;;;=,fr", "fr"), ("x" * 5000, "en"), ("en-US,de;q=0.5", "en"),
    ],
)  # fmt: skip
def test_the_browser_says_which_language_it_prefers(accepted: str, language: str) -> None:
    assert read_display("", accepted).language == language


def test_the_readers_choice_beats_the_browser_and_survives_the_cookie() -> None:
    chosen = choose_display({"language": "fr", "theme": "dark", "density": "compact", "keys": "off"})
    assert read_display(chosen.cookie, "de").language == "fr"
    assert read_display(chosen.cookie, "de").theme == "dark"
    assert read_display(chosen.cookie, "de").keys == "off"


@pytest.mark.parametrize("cookie", ["", "....", "zz.neon.huge.never.maybe", '"><script>', "." * 5000, "de"])
def test_a_cookie_that_means_nothing_is_passed_over(cookie: str) -> None:
    display = read_display(cookie, "")
    assert display.theme == "auto"
    assert display.language in {"en", "de"}


@pytest.mark.parametrize("language", LANGUAGE_NAMES)
async def test_pages_are_in_the_readers_language(desk: Client, shelf: Shelf, language: str) -> None:
    shelf.put(event("urn:a", headline="Ships"))
    for path in ("/", "/stories/urn%3Aa", "/feeds", "/nothing", "/ticker", "/chains/urn%3Aa"):
        page = await (await desk.get(path, headers={"Accept-Language": language})).text()
        assert f'<html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}"' in page, path
    listed = await (await desk.get("/", headers={"Accept-Language": language})).text()
    assert load_messages(language).gettext("Latest version only") in listed


@pytest.mark.parametrize("language", LANGUAGE_NAMES)
def test_every_age_can_be_told(language: str) -> None:
    ago, clock = (load_templates(language).filters[name] for name in ("ago", "clock"))
    now = datetime(2026, 12, 1, tzinfo=UTC)
    for seconds in (0, 1, 59, 61, 3_700, 90_000, 900_000, 4_000_000, 90_000_000):
        for sign in (1, -1):
            then = (now + timedelta(seconds=sign * seconds)).isoformat()
            assert ago(then, now), then
            assert clock(then, now), then


async def test_the_form_of_choices_leads_back_and_never_elsewhere(desk: Client) -> None:
    form = {"language": "ar", "theme": "contrast", "next": "/?q=ferry"}
    answer = await desk.post("/display", data=form, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/?q=ferry")
    page = await (await desk.get("/")).text()
    assert 'dir="rtl"' in page
    assert 'data-theme="contrast"' in page
    answer = await desk.post("/display", data={"next": "//evil.example/"}, allow_redirects=False)
    assert answer.headers["Location"] == "/"
