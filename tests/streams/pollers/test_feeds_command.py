"""``wiredesk feeds``: the list is shown, changed, imported and exported; errors are one line."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from config import Misconfigured
from streams.commands.feeds import command
from streams.embedded.data_file import DATABASE
from streams.embedded.log import Log
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
            "add", "https://c.example/rss", "--title", "Sea News", "--language", "da", "--feeds", own
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
    run("add", "https://c.example/rss", "--feeds", tmp_path / "new.toml")
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
