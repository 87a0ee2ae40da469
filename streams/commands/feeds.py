"""``wiredesk feeds``: the list of feeds, how each fares, and what one says right now."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from config.redaction import redact_secrets
from streams.commands.options import DATA_OPTION, FEEDS_OPTION, find_named, record_change, with_settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from config.settings import Settings
    from streams.pollers.feed import Feed
    from streams.pollers.feed_file import FeedFile


kafka_states_option = click.option(
    "--kafka", is_flag=True, help="Show what the pollers on Kafka know, not the one of this machine."
)


@click.group("feeds")
def command() -> None:
    """Feeds: list, add, pause, check, import and export them.

    \b
    Examples:
      wiredesk feeds list
      wiredesk feeds show harbour-times --kafka --config fleet.toml
      wiredesk feeds check https://www.example.org/rss.xml
      wiredesk feeds import subscriptions.opml --feeds my.toml
    """


@command.command("list")
@kafka_states_option
@with_settings(FEEDS_OPTION, DATA_OPTION)
def list_feeds(settings: Settings, kafka: bool) -> None:
    """List feeds: id, state, last outcome, last new item, items a day lately and usually, next poll, URL; tabs between them."""
    from config.files import find_file
    from streams.pollers.feed_health import read_health
    from streams.pollers.feed_list import load_feeds

    listed = load_feeds(settings.poll.feeds)
    states = read_states(settings, kafka=kafka)
    for feed in listed:
        health = read_health(feed, states.get(feed.id, b""))
        rates = [
            "-" if rate is None else f"{rate:g}" for rate in (health.items_per_day, health.expected_per_day)
        ]
        columns = (
            health.id, health.state, health.outcome or "-", health.last_new or "-", *rates, health.next_poll or "-", health.url,
        )  # fmt: skip
        click.echo("\t".join(columns))
    click.echo(f"{len(listed)} feeds in {find_file(settings.poll.feeds)}", err=True)


@command.command("show")
@click.argument("feed_id")
@kafka_states_option
@with_settings(FEEDS_OPTION, DATA_OPTION)
def show_feed(settings: Settings, feed_id: str, kafka: bool) -> None:
    """Show all that is known of one feed, as JSON."""
    import time

    import orjson

    from processors.model.codec import to_builtins
    from streams.pollers.feed_health import longest_silence, read_health
    from streams.pollers.feed_list import load_feeds
    from streams.pollers.state import unpack_header

    feed = _find(load_feeds(settings.poll.feeds), feed_id)
    raw = read_states(settings, kafka=kafka).get(feed.id, b"")
    state = unpack_header(raw)
    report = {
        "feed": {**to_builtins(feed), "url": feed.shown_url},
        "health": to_builtins(read_health(feed, raw)),
        "errors": state.errors,
        "alarmAfterSilenceOfSeconds": longest_silence(state, time.time()),
        "freshnessSeconds": state.freshness,
        "skipHours": state.skip_hours,
        "skipDays": state.skip_days,
        "movedTo": redact_secrets(state.url or state.moved_to) or None,
        "hub": redact_secrets(state.hub) or None,
        "cappedRevisions": state.capped,
        "stateBytes": len(raw),
    }
    click.echo(orjson.dumps(report, option=orjson.OPT_INDENT_2).decode())


@command.command("check")
@click.argument("target", metavar="URL|ID")
@with_settings(FEEDS_OPTION)
def check_one_feed(settings: Settings, target: str) -> None:
    """Fetch a feed once, publish nothing, and say what came of it. Exit status 1 where it is no sound feed."""
    import asyncio

    from config import Misconfigured
    from streams.pollers.check import check_feed
    from streams.pollers.feed import Feed, find_url_fault
    from streams.pollers.feed_list import load_feeds

    listed = load_feeds(settings.poll.feeds)
    if "://" in target:
        if wrong := find_url_fault(target):
            raise Misconfigured(wrong)
        feed = next((feed for feed in listed if feed.url == target), Feed("check", target))
    else:
        feed = _find(listed, target)
    report = asyncio.run(check_feed(feed, settings.poll, settings.normalise))
    click.echo(redact_secrets(f"{report.outcome}: {report.message}"))
    for title in report.titles:
        click.echo(f"  {title}")
    sys.exit(0 if report.is_sound else 1)


@command.command("add")
@click.argument("url")
@click.option("--id", "feed_id", help="A short name. [default: made from the title or host]")
@click.option("--title", default="", help="What people call it. [default: what the feed calls itself]")
@click.option("--language", help="BCP 47 tag, where its items name none.")
@click.option("--source", help="The agency's name.")
@click.option("--unchecked", is_flag=True, help="Add it without looking at it.")
@with_settings(FEEDS_OPTION, DATA_OPTION)
def add_feed(
    settings: Settings,
    *,
    url: str,
    feed_id: str | None,
    title: str,
    language: str | None,
    source: str | None,
    unchecked: bool,
) -> None:
    """Add a feed to the list, after a look at it. Of a page that names one feed, that feed is added.

    \b
    Examples:
      wiredesk feeds add https://www.example.org/rss.xml --feeds my.toml
      wiredesk feeds add https://www.example.org/ --source "Example News" --feeds my.toml
    """
    from streams.pollers.feed import Feed, make_feed_id

    file, listed = _load_own_list(settings)
    _check_new(file.path, listed, url, feed_id)
    if not unchecked:
        found, name = _look_at(settings, url)
        title = title or name
        if found != url:
            _check_new(file.path, listed, found, feed_id)
            url = found
    ids = {feed.id for feed in listed}
    feed = Feed(feed_id or make_feed_id(title, url, ids), url, title, language, source)
    file.replace((*listed, feed))
    click.echo(f"added {feed.id}")
    record_change(settings, "add feed", feed.id, f"added {feed.shown_url}")
    _say_when(settings, file.path)


@command.command("remove")
@click.argument("feed_id")
@with_settings(FEEDS_OPTION, DATA_OPTION)
def remove_feed(settings: Settings, feed_id: str) -> None:
    """Take a feed off the list. Its stories stay; what is remembered of it does too, for the day when it comes back."""
    file, listed = _load_own_list(settings)
    chosen = _find(listed, feed_id)
    file.replace(tuple(feed for feed in listed if feed is not chosen))
    click.echo(f"removed {feed_id}")
    record_change(settings, "remove feed", feed_id, "removed")
    _say_when(settings, file.path)


@command.command("pause")
@click.argument("feed_id")
@click.option("--off", is_flag=True, help="Poll it again.")
@with_settings(FEEDS_OPTION, DATA_OPTION)
def pause_feed(settings: Settings, feed_id: str, off: bool) -> None:
    """Stop polling a feed, or with --off go on. A running poller sees it within two seconds."""
    file, listed = _load_own_list(settings)
    chosen = _find(listed, feed_id)
    file.replace(tuple(replace(feed, paused=not off) if feed is chosen else feed for feed in listed))
    click.echo(f"{'polling' if off else 'paused'} {feed_id}")
    record_change(settings, "edit feed", feed_id, f"paused = {not off}")
    _say_when(settings, file.path)


@command.command("import")
@click.argument("opml", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_settings(FEEDS_OPTION, DATA_OPTION)
def import_feeds(settings: Settings, opml: Path) -> None:
    """Add the feeds of an OPML file to the list; each line that can't be used is named."""
    from streams.pollers.feed_file import merge_feeds
    from streams.pollers.feed_list import read_opml

    file, listed = _load_own_list(settings)
    outline = read_opml(opml.read_bytes(), str(opml))
    for problem in outline.problems:
        click.echo(problem, err=True)
    merged, added = merge_feeds(listed, outline.feeds)
    file.replace(merged)
    click.echo(f"{len(added)} feeds added, {len(outline.problems)} lines left out")
    if added:
        names = ", ".join(feed.id for feed in added)
        record_change(settings, "import OPML", f"{len(added)} feeds", names)
        _say_when(settings, file.path)
    sys.exit(0 if outline.feeds or not outline.problems else 1)


@command.command("export")
@with_settings(FEEDS_OPTION)
def export_feeds(settings: Settings) -> None:
    """Write the list as OPML to standard output."""
    from streams.pollers.feed_list import load_feeds, write_opml

    click.echo(write_opml(load_feeds(settings.poll.feeds)), nl=False)


def _load_own_list(settings: Settings) -> tuple[FeedFile, tuple[Feed, ...]]:
    """The list that a change is written to: a TOML file, never the bundled one; a new file begins empty."""
    from config import Misconfigured
    from config.files import find_file
    from streams.pollers.feed_file import FeedFile

    name = settings.poll.feeds
    file = FeedFile(name)
    if find_file(name).is_file() and not Path(name).exists():
        raise Misconfigured(f"{name} is the bundled list; name your own with --feeds my.toml")
    # Until the command ends: the desk of this machine may be asked for another change meanwhile.
    click.get_current_context().with_resource(file.locked())
    return file, file.load()


def _check_new(path: Path, listed: Sequence[Feed], url: str, feed_id: str | None) -> None:
    """Refuse an address that is none, or what stands in the list already."""
    from config import Misconfigured
    from streams.pollers.feed import find_url_fault

    if wrong := find_url_fault(url):
        raise Misconfigured(wrong)
    if any(feed.url == url for feed in listed) or any(feed.id == feed_id for feed in listed):
        raise Misconfigured(f"{path}: {feed_id or redact_secrets(url)!r} stands there already")


def _look_at(settings: Settings, url: str) -> tuple[str, str]:
    """The address of a sound feed, and what it calls itself: the given one, or the one that a page there names.

    Whatever else is there ends the command with a line and status 1.
    """
    import asyncio

    from streams.pollers.check import check_feed, discover_feeds
    from streams.pollers.feed import Feed

    found, message = asyncio.run(discover_feeds(url, settings.poll))
    if len(found) == 1:
        [named] = found
        if named != url:
            click.echo(redact_secrets(f"{url} is a page, whose feed is {named}"), err=True)
        report = asyncio.run(check_feed(Feed("check", named), settings.poll, settings.normalise))
        if report.is_sound:
            click.echo(report.message, err=True)
            return named, found[named] or report.name
        message = f"{report.outcome}: {report.message}"
    for address, title in found.items() if len(found) > 1 else ():
        click.echo(redact_secrets(f"  {address}\t{title}"), err=True)
    what = "name one of these feeds of the page" if len(found) > 1 else "--unchecked adds it all the same"
    click.echo(redact_secrets(f"not added: {message}; {what}"), err=True)
    sys.exit(1)


def _say_when(settings: Settings, path: Path) -> None:
    """Say when a change of the list takes effect."""
    from streams.embedded.folder_lock import find_holder

    fleet = "pollers of a fleet that read this file take it within 2 seconds"
    holder = find_holder(Path(settings.embedded.data))
    if holder and holder.feeds and Path(holder.feeds).resolve() == path.resolve():
        line = f"`wiredesk run` takes it within 2 seconds ({holder})"
    elif holder:
        line = f"`wiredesk run` polls {holder.feeds or 'no list'}, not {path} ({holder}); {fleet}"
    else:
        line = f"no `wiredesk run` on {settings.embedded.data} is there: the next start takes it; {fleet}"
    click.echo(line, err=True)


def _find(feeds: Sequence[Feed], feed_id: str) -> Feed:
    return find_named(feeds, feed_id, "no feed has the id", "wiredesk feeds list")


def read_states(settings: Settings, *, kafka: bool) -> Mapping[str, bytes]:
    """What the embedded poller remembers, empty before the first run; or those on Kafka."""
    import asyncio
    import sqlite3

    if kafka:
        from streams.kafka.poll import load_states

        return asyncio.run(load_states(settings))

    from streams.embedded.data_file import DATABASE, find_data_file

    folder = Path(settings.embedded.data)
    if not (folder / DATABASE).is_file():
        return {}
    path = find_data_file(folder)
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        return dict(connection.execute("SELECT feed, state FROM feeds"))
