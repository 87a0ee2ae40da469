"""Documents as transmission leaves them: cut, of two encodings, under a mark that lies, with dates out of the world."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from processors.errors import Rejected
from processors.model.event import Event
from tests.processors.normalise.samples import INPUTS, one, outcomes
from tests.processors.normalise.test_feed_kinds import FEEDS, PACKAGES
from tests.processors.normalise.test_wire_kinds import CASES

FEED = (
    "<?xml version='1.0' encoding='{0}'?><rss version='2.0'><channel><title>Quay</title>{1}</channel></rss>"
)
ENTRY = "<item><title>{0}</title><guid>urn:x:{1}</guid><description><![CDATA[{2}]]></description></item>"
RUSSIAN = "Паром снова ходит, сообщил порт Квельхайма в пятницу"
GERMAN = "Fähre fährt wieder, sagte der Hafen von Quellheim am Freitag, trotz der Kälte"


def read(payload: bytes) -> list[Event | Rejected]:
    """What a document becomes; the error of the whole as its only member."""
    try:
        return outcomes(payload)
    except Rejected as error:
        return [error]


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.name)
def test_a_document_that_is_cut_anywhere_gives_events_or_an_error(path: Path) -> None:
    """Only a feed that is cut before its first entry gives neither, as one without entries does."""
    payload = path.read_bytes()
    for part in range(1, 24):
        cut = payload[: len(payload) * part // 24]
        events = read(cut)
        is_head = b"<channel" in cut or b"<feed" in cut or b"<urlset" in cut or b"RDF" in cut
        assert events or (is_head and b"<item" not in cut and b"<entry" not in cut and b"<url>" not in cut), (
            part
        )


@pytest.mark.parametrize("name", [*CASES, *FEEDS, *PACKAGES])
def test_every_kind_that_is_cut_gives_events_or_an_error(name: str) -> None:
    sent = (CASES | FEEDS | PACKAGES)[name][0]
    payload = sent if isinstance(sent, bytes) else sent.encode()
    for part in (7, 11, 15):
        cut = payload[: len(payload) * part // 16]
        events = read(cut)
        assert events or (b"<item" not in cut and b"<entry" not in cut), part


@pytest.mark.parametrize("end", [1, 2, 3, 5, 20, 40, 60])
def test_a_document_cut_in_a_letter_a_tag_or_a_section_keeps_what_came(end: int) -> None:
    body = ENTRY.format(RUSSIAN, 1, f"<p>{RUSSIAN}</p>") + ENTRY.format("Мост", 2, f"<p>{RUSSIAN * 3}</p>")
    payload = FEED.format("utf-8", body).encode()[: -len("</description></item></channel></rss>") - end]
    events = outcomes(payload)
    assert [event.headline for event in events if isinstance(event, Event)] == [RUSSIAN, "Мост"]
    last = events[1]
    assert isinstance(last, Event)
    assert RUSSIAN in last.text
    assert "truncated" in {damage.kind for damage in last.damage or ()}


@pytest.mark.parametrize(
    ("first", "second"),
    [("utf-8", "cp1251"), ("cp1251", "utf-8"), ("utf-8", "koi8-r")],
)
def test_entries_of_two_encodings_are_both_read(first: str, second: str) -> None:
    head, _, tail = FEED.format("utf-8", "|").partition("|")
    entries = [
        ENTRY.format(f"{RUSSIAN} {number}", number, RUSSIAN * 2).encode(codec)
        for number, codec in enumerate((first, second))
    ]
    events = outcomes(head.encode() + b"".join(entries) + tail.encode())
    assert [event.headline for event in events if isinstance(event, Event)] == [
        f"{RUSSIAN} 0",
        f"{RUSSIAN} 1",
    ]


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"])
@pytest.mark.parametrize("codec", ["cp1252", "utf-8"])
def test_a_mark_that_lies_loses_against_the_bytes(mark: bytes, codec: str) -> None:
    event = one(mark + FEED.format(codec, ENTRY.format(GERMAN, 1, GERMAN)).encode(codec))
    assert event.headline == GERMAN


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_wide_text_without_a_mark_is_read(codec: str) -> None:
    event = one(FEED.format(codec, ENTRY.format(GERMAN, 1, GERMAN)).encode(codec))
    assert event.headline == GERMAN


@pytest.mark.parametrize("year", [1970, 1601, 2099, 9999])
def test_a_date_out_of_the_world_costs_no_story(year: int) -> None:
    dated = ENTRY.format("Ferry", 1, "It runs.").replace(
        "<guid>", f"<pubDate>{year}-01-01T00:00:00Z</pubDate><guid>"
    )
    event = one(FEED.format("utf-8", dated).encode())
    assert event.headline == "Ferry"
    assert event.story.first_created in {None, f"{year}-01-01T00:00:00Z"}


@pytest.mark.parametrize("form", ["plain", "rss", "nitf", "ninjs", "mail", "anpa"])
def test_a_word_of_a_million_characters_is_text(form: str) -> None:
    word = "ferry" * 200_000
    documents = {
        "plain": word,
        "rss": FEED.format("utf-8", ENTRY.format("Ferry", 1, word)),
        "nitf": f"<nitf><head><docdata><doc-id id-string='1'/></docdata></head><body><body.content><p>{word}</p></body.content></body></nitf>",
        "ninjs": f'{{"uri":"urn:x:1","type":"text","body_text":"{word}"}}',
        "mail": f"From: a@b.example\nTo: c@d.example\nSubject: Ferry\n\n{word}\n",
        "anpa": f"\x16\x16\x01a0421\x1fclnt-\r\nr i\x13\x11 BC-Ferry 01-09 0123\r\n\x02^Ferry<\r\n\t{word}\r\n\x03",
    }
    started = time.process_time()
    assert word in one(documents[form]).text
    assert time.process_time() - started < 20


def test_entries_that_all_have_one_date_are_stories_of_their_own() -> None:
    items = "".join(
        ENTRY.format(f"Ferry {number}", number, f"It runs for the {number}. time.").replace(
            "<guid>", "<pubDate>Fri, 09 Jan 2026 10:00:00 GMT</pubDate><guid>"
        )
        for number in range(50)
    )
    events = outcomes(FEED.format("utf-8", items))
    assert len({event.story.uri for event in events if isinstance(event, Event)}) == 50
