"""``wiredesk feeds``: the list is shown, changed, imported and exported; errors are one line."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from config import Misconfigured
from streams.commands.feeds import command
from streams.embedded.data_file import DATABASE
from streams.embedded.folder_lock import FolderLock
from streams.embedded.log import Log
from streams.pollers.check import find_feed_name
from streams.pollers.feed_list import load_feeds
from streams.pollers.state import FeedState, pack_state
from tests.streams.pollers.conftest import WebServer

NOW = 1_770_000_000.0


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "my.toml"
    path.write_text(
        '[[feeds]]\nid = "a"\nurl = "https://desk:s3cret@a.example/rss"\n\n[[feeds]]\nid = "b"\nurl = "https://b.example/rss"\n'
    )
    return path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(each) for each in arguments], catch_exceptions=False)


def test_list_tells_how_each_feed_fares_and_no_secret(own: Path, tmp_path: Path) -> None:
    log = Log(tmp_path / "data" / DATABASE)
    log.save_feed("a", pack_state(FeedState(polled=NOW, outcome="timeout", failures=4)))
    log.close()
    told = run("list", "--feeds", own, "--data", tmp_path / "data").stdout.splitlines()
    assert told[0].split("\t")[:3] == ["a", "erroring", "timeout"]
    assert told[1].split("\t")[:3] == ["b", "new", "-"]
    assert told[0].endswith("\thttps://a.example/rss")


def test_show_tells_all_of_one_feed(own: Path, tmp_path: Path) -> None:
    log = Log(tmp_path / "data" / DATABASE)
    log.save_feed(
        "a",
        pack_state(FeedState(polled=NOW, outcome="new", errors={"dns": 3}, moved_to="https://new.example/")),
    )
    log.close()
    told = json.loads(run("show", "a", "--feeds", own, "--data", tmp_path / "data").stdout)
    assert told["errors"] == {"dns": 3}
    assert told["movedTo"] == "https://new.example/"
    assert told["feed"]["url"] == "https://a.example/rss"


def test_add_and_pause_change_the_list(own: Path) -> None:
    assert (
        run(
            "add",
            "https://c.example/rss",
            "--title",
            "Sea News",
            "--language",
            "da",
            "--unchecked",
            "--feeds",
            own,
        ).exit_code
        == 0
    )
    assert run("pause", "b", "--feeds", own).exit_code == 0
    feeds = {feed.id: feed for feed in load_feeds(own)}
    assert feeds["sea-news"].language == "da"
    assert [feed.id for feed in feeds.values() if feed.paused] == ["b"]
    run("pause", "b", "--off", "--feeds", own)
    assert not any(feed.paused for feed in load_feeds(own))


def test_a_new_list_begins_with_its_first_feed(tmp_path: Path) -> None:
    run("add", "https://c.example/rss", "--unchecked", "--feeds", tmp_path / "new.toml")
    assert [feed.url for feed in load_feeds(tmp_path / "new.toml")] == ["https://c.example/rss"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("add", "https://b.example/rss"), "stands there already"),
        (("add", "ftp://b.example/rss"), "no http or https URL"),
        (("pause", "bb"), "did you mean 'b'"),
        (("show", "nothing"), "no feed has the id 'nothing'"),
    ],
)
def test_mistakes_are_one_clear_line(own: Path, arguments: tuple[str, ...], says: str) -> None:
    with pytest.raises(Misconfigured, match=says):
        run(*arguments, "--feeds", own)


def test_the_bundled_list_is_not_changed() -> None:
    with pytest.raises(Misconfigured, match="bundled list"):
        run("add", "https://c.example/rss")


def test_what_is_exported_can_be_imported(own: Path, tmp_path: Path) -> None:
    opml = tmp_path / "out.opml"
    opml.write_text(run("export", "--feeds", own).stdout)
    other = tmp_path / "other.toml"
    assert "2 feeds added, 0 lines left out" in run("import", opml, "--feeds", other).stdout
    assert [(feed.id, feed.url) for feed in load_feeds(other)] == [
        (feed.id, feed.url) for feed in load_feeds(own)
    ]


def test_import_names_the_lines_that_it_leaves_out(own: Path, tmp_path: Path) -> None:
    opml = tmp_path / "in.opml"
    opml.write_text(
        '<opml><body>\n<outline text="B" xmlUrl="https://b.example/rss"/>\n<outline text="X" xmlUrl="gopher://x"/>\n'
        '<outline text="A" xmlUrl="https://d.example/rss"/></body></opml>'
    )
    result = run("import", opml, "--feeds", own)
    assert "1 feeds added, 1 lines left out" in result.stdout
    assert "in.opml:3: outline 'X'" in result.stderr
    assert len({feed.id for feed in load_feeds(own)}) == 3


async def test_check_tells_what_a_poll_would_bring(web: WebServer, tmp_path: Path) -> None:
    web.answer(
        "/rss", b"<rss><channel><item><title>The ferry runs</title><guid>1</guid></item></channel></rss>"
    )
    web.answer("/page", b"<html><body>Soon</body></html>")
    config = tmp_path / "settings.toml"
    config.write_text(f'[poll]\nallowed_addresses = ["127.0.0.1:{web.port}"]\n')
    sound = await asyncio.to_thread(run, "check", web.url("/rss"), "--config", config)
    assert (sound.exit_code, sound.stdout.startswith("new: 1 items")) == (0, True)
    assert "The ferry runs" in sound.stdout
    page = await asyncio.to_thread(run, "check", web.url("/page"), "--config", config)
    assert (page.exit_code, page.stdout.startswith("not_a_feed: an HTML page")) == (1, True)


def test_remove_takes_one_feed_off_the_list(own: Path) -> None:
    assert run("remove", "a", "--feeds", own).stdout == "removed a\n"
    assert [feed.id for feed in load_feeds(own)] == ["b"]
    with pytest.raises(Misconfigured, match="no feed has the id 'a'"):
        run("remove", "a", "--feeds", own)


PAGE = b"""<html><head><title>Alder</title>
<link rel="stylesheet" href="/rss.css"><link rel="alternate" type="application/rss+xml" href="/rss">%b
<link rel="alternate" type="text/html" hreflang="de" href="/de"></head><body>News</body></html>"""
RSS = b"<rss><channel><title> Alder\n News </title><item><title>The ferry runs</title><guid>1</guid></item></channel></rss>"


async def test_add_looks_at_the_feed_and_finds_that_of_a_page(web: WebServer, tmp_path: Path) -> None:
    own, config = tmp_path / "own.toml", tmp_path / "settings.toml"
    config.write_text(f'[poll]\nallowed_addresses = ["127.0.0.1:{web.port}"]\n')
    web.answer("/rss", RSS)
    web.answer("/", PAGE % b"")
    web.answer("/two", PAGE % b'<link rel="alternate feed" type="application/atom+xml" href="atom">')
    web.answer("/none", b"<html><body>Soon</body></html>")

    async def add(path: str, *more: str) -> Result:
        return await asyncio.to_thread(run, "add", web.url(path), "--config", config, "--feeds", own, *more)

    added = await add("/")
    assert (added.exit_code, added.stdout) == (0, "added alder-news\n")
    assert f"is a page, whose feed is {web.url('/rss')}" in added.stderr
    assert [(feed.url, feed.title) for feed in load_feeds(own)] == [(web.url("/rss"), "Alder News")]
    with pytest.raises(Misconfigured, match="stands there already"):
        await add("/")
    for path, says in [
        ("/two", "name one of these"),
        ("/none", "an HTML page"),
        ("/away", "not added: "),
    ]:
        refused = await add(path)
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert says in refused.stderr
        assert "Traceback" not in refused.stderr
    assert web.url("/atom") in (await add("/two")).stderr
    assert (await add("/away", "--unchecked")).exit_code == 0
    assert len(load_feeds(own)) == 2


async def test_who_changes_the_list_is_told_when_it_takes_effect(own: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    idle = await asyncio.to_thread(run, "pause", "a", "--feeds", own, "--data", data)
    assert f"no `wiredesk run` on {data} is there: the next start takes it" in idle.stderr
    async with FolderLock(data, str(own)):
        busy = await asyncio.to_thread(run, "pause", "a", "--feeds", own, "--data", data)
        assert f"`wiredesk run` takes it within 2 seconds (process {os.getpid()} on " in busy.stderr
    async with FolderLock(data, "/etc/other.toml"):
        other = await asyncio.to_thread(run, "remove", "a", "--feeds", own, "--data", data)
        assert f"polls /etc/other.toml, not {own}" in other.stderr


@pytest.mark.parametrize(
    ("document", "name"),
    [
        (b'<feed xmlns="http://www.w3.org/2005/Atom"><title>Alder</title></feed>', "Alder"),
        (b'{"version": "https://jsonfeed.org/version/1.1", "title": "Alder"}', "Alder"),
        (b'{"title": 5}', ""),
        (b"{", ""),
        (b"<rss><channel></channel></rss>", ""),
        (b"", ""),
        (b"<rss><channel><title/></channel></rss>", ""),
    ],
)
def test_a_feed_is_called_what_it_calls_itself(document: bytes, name: str) -> None:
    assert find_feed_name(document) == name


def test_what_commands_change_stands_among_the_changes_of_the_desk(own: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    run("pause", "a", "--feeds", own, "--data", data)
    assert not data.exists(), "without a desk there is nothing to write to"
    data.mkdir()
    run("pause", "a", "--feeds", own, "--data", data)
    run("remove", "a", "--feeds", own, "--data", data)
    lines = [json.loads(line) for line in (data / "changes.jsonl").read_text("utf-8").splitlines()]
    assert [(one["what"], one["target"], one["result"]) for one in lines] == [
        ("edit feed", "a", "paused = True"),
        ("remove feed", "a", "removed"),
    ]
    assert all(one["who"].endswith(", by command") for one in lines)
