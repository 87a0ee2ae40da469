"""Feed lists: TOML and OPML, with one clear line for what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from config import Misconfigured
from streams.pollers.feed import Feed, make_feed_id
from streams.pollers.feed_list import format_feeds, load_feeds, parse_feeds, read_opml, write_opml


def test_the_bundled_list_names_language_and_source_of_feeds_in_many_languages() -> None:
    feeds = load_feeds("feeds.toml")
    assert len(feeds) >= 40
    assert all(feed.language and feed.source and feed.title for feed in feeds)
    assert len({(feed.language or "").partition("-")[0] for feed in feeds}) >= 10


def test_a_table_may_hold_only_a_url() -> None:
    assert parse_feeds(b'[[feeds]]\nurl = "https://wire.example/rss"', "x") == (
        Feed("wire-example", "https://wire.example/rss"),
    )


def test_name_is_another_word_for_id() -> None:
    assert parse_feeds(b'[[feeds]]\nname = "a"\nurl = "https://wire.example/rss"', "x")[0].id == "a"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[feeds]\n", "not TOML"),
        ("[[feeds]]\nid = 'a'", "feed 1 .a.: url is missing"),
        ("[[feeds]]\nurl = 'https://a.example'\ntitel = 'A'", "unknown key 'titel'; did you mean 'title'"),
        ("[[feeds]]\nurl = 7", "url has the wrong type: 7"),
        ("[[feeds]]\nurl = 'https://a.example'\npaused = 1", "paused has the wrong type"),
        ("[[feeds]]\nurl = 'https://a.example'\ninterval = true", "interval has the wrong type"),
        ("[[feeds]]\nurl = 'https://a.example'\ninterval = 0", "more than 0 seconds"),
        ("[[feeds]]\nurl = 'https://a.example'\ntimezone = 'CEST'", "no IANA name"),
        ("[[feeds]]\nurl = 'ftp://a.example'", "no http or https URL"),
        ("[[feeds]]\nurl = 'https://[::1'", "no URL"),
        (
            "[[feeds]]\nid='a'\nurl='https://a.example'\n[[feeds]]\nid='a'\nurl='https://b.example'",
            "two feeds have the id 'a'",
        ),
        (
            "[[feeds]]\nid='a'\nurl='https://a.example'\n[[feeds]]\nid='b'\nurl='https://a.example'",
            "two feeds have the url",
        ),
        ("[poll]\nx = 1", "'poll' does not belong there"),
        ("feeds = 3", "'feeds' does not belong there"),
    ],
)
def test_what_is_wrong_with_a_list_is_one_clear_line(text: str, says: str) -> None:
    with pytest.raises(Misconfigured, match=says) as raised:
        parse_feeds(text.encode(), "my.toml")
    assert str(raised.value).startswith("my.toml: ")
    assert "\n" not in str(raised.value)


def test_errors_do_not_tell_secrets() -> None:
    with pytest.raises(Misconfigured) as raised:
        parse_feeds(b"[[feeds]]\nurl = 'ftp://desk:s3cret@a.example/?token=abc'", "my.toml")
    assert "s3cret" not in str(raised.value)
    assert "abc" not in str(raised.value)


def test_a_list_that_is_not_there_is_named() -> None:
    with pytest.raises(Misconfigured, match=r"missing\.toml: No such file"):
        load_feeds("missing.toml")


feeds = st.builds(
    Feed,
    id=st.from_regex(r"[a-z]{1,8}", fullmatch=True),
    url=st.from_regex(r"https://[a-z]{1,8}\.example/[a-z]{0,5}", fullmatch=True),
    title=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    language=st.sampled_from([None, "da", "pt-BR"]),
    interval=st.sampled_from([None, 30.0]),
    paused=st.booleans(),
)


@given(st.lists(feeds, max_size=4, unique_by=(lambda feed: feed.id, lambda feed: feed.url)))
def test_a_list_comes_back_as_it_was_written(told: list[Feed]) -> None:
    assert parse_feeds(format_feeds(told).encode(), "x") == tuple(told)


OPML = b"""<?xml version="1.0"?><opml version="2.0"><body>
<outline text="World"><outline type="rss" text="Invented Wire" title="Invented" xmlUrl="https://wire.example/rss" language="da"/>
<outline type="rss" text="No address"/>
<outline type="rss" text="Odd" xmlUrl="gopher://old.example/"/>
<outline type="rss" text="Again" xmlUrl="https://wire.example/rss"/></outline>
<outline text="Invented Wire" xmlUrl="https://other.example/rss"/>
</body></opml>"""


def test_opml_is_taken_as_far_as_it_goes_and_each_bad_line_is_named() -> None:
    found = read_opml(OPML, "my.opml")
    assert [(feed.url, feed.title, feed.language) for feed in found.feeds] == [
        ("https://wire.example/rss", "Invented", "da"),
        ("https://other.example/rss", "Invented Wire", None),
    ]
    assert found.feeds[0].id == "invented-wire"
    assert found.feeds[1].id.startswith("invented-wire-")
    assert [problem.partition(": ")[0] for problem in found.problems] == [
        "my.opml:3",
        "my.opml:4",
        "my.opml:5",
    ]


def test_opml_that_is_cut_is_taken_as_far_as_it_goes() -> None:
    found = read_opml(OPML[: OPML.index(b"Odd") - 5], "my.opml")
    assert len(found.feeds) == 1
    assert any("my.opml:4" in problem for problem in found.problems)


def test_a_list_that_is_polled_names_the_lines_that_it_leaves_out(tmp_path: Path) -> None:
    path = tmp_path / "my.opml"
    path.write_bytes(OPML)
    with capture_logs() as lines:
        assert len(load_feeds(path)) == 2
    told = [line["problem"].removeprefix(str(path)).partition(": ")[0] for line in lines]
    assert told == [":3", ":4", ":5"]


@pytest.mark.parametrize("raw", [b"", b"no markup", b"<html><body/></html>"])
def test_what_is_no_opml_gives_no_feed(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "my.opml"
    path.write_bytes(raw)
    assert read_opml(raw, "my.opml").feeds == ()


def test_entities_of_an_opml_file_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("s3cret")
    raw = f'<!DOCTYPE o [<!ENTITY s SYSTEM "{secret.as_uri()}">]><opml><body><outline text="a" xmlUrl="https://a.example/&s;"/></body></opml>'
    assert all("s3cret" not in feed.url for feed in read_opml(raw.encode(), "x").feeds)


def test_opml_comes_back_as_it_was_written() -> None:
    told = (Feed("a", "https://a.example/?x=1&y=2", "A & B", "da"), Feed("b", "https://b.example/", "B"))
    assert read_opml(write_opml(told).encode(), "x").feeds == told


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://desk:s3cret@wire.example/rss", "https://wire.example/rss"),
        ("https://wire.example/rss?api_key=abc&page=2", "https://wire.example/rss?api_key=REDACTED&page=2"),
        (
            "https://wire.example/rss?page=2&access-token=abc#x",
            "https://wire.example/rss?page=2&access-token=REDACTED#x",
        ),
        ("https://wire.example/@desk/rss", "https://wire.example/@desk/rss"),
    ],
)
def test_secrets_in_urls_are_not_shown(url: str, shown: str) -> None:
    assert Feed("f", url).shown_url == shown


def test_ids_stay_apart() -> None:
    assert make_feed_id("BBC News: World", "https://a.example") == "bbc-news-world"
    assert make_feed_id("", "https://www.wire.example/x") == "www-wire-example"
    assert make_feed_id("A", "https://a.example", {"a"}) != make_feed_id("A", "https://b.example", {"a"})
