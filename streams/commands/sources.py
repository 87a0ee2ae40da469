"""``wiredesk sources``: the list of sources beside feeds, how each fares, and what one says right now."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.commands.feeds import kafka_states_option, read_states
from streams.commands.options import DATA_OPTION, SOURCES_OPTION, find_named, with_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.settings import Settings
    from streams.sources.declaration import SourceEntry


@click.group("sources")
def command() -> None:
    """Sources beside feeds: list, check, pause and resume them.

    \b
    Examples:
      wiredesk sources list --sources my-sources.toml
      wiredesk sources check dpa --sources my-sources.toml
      wiredesk sources pause dpa --sources my-sources.toml
    """


@command.command("list")
@kafka_states_option
@with_settings(SOURCES_OPTION, DATA_OPTION)
def list_sources(settings: Settings, kafka: bool) -> None:
    """List sources: name, kind, state, last outcome, last new item, next look, address; tabs between them."""
    from config.files import find_file
    from streams.pollers.feed_health import read_health

    listed = _load(settings)
    remembered = read_states(settings, kafka=kafka)
    for entry in listed:
        health = read_health(entry.feed, remembered.get(entry.id, b""))
        columns = (
            entry.id, entry.kind, health.state, health.outcome or "-", health.last_new or "-", health.next_poll or "-",
            health.url, health.message,
        )  # fmt: skip
        click.echo("\t".join(columns).rstrip())
    click.echo(f"{len(listed)} sources in {find_file(settings.poll.sources)}", err=True)


@command.command("check")
@click.argument("name", required=False)
@with_settings(SOURCES_OPTION)
def check_sources(settings: Settings, name: str | None) -> None:
    """Ask each source, or one, for its first items; publish nothing and acknowledge nothing. Exit status 1 where one fails."""
    import asyncio

    from streams.sources.check import check_source

    listed = _load(settings)
    chosen = [_find(listed, name)] if name else listed
    failed = False
    for entry in chosen:
        report = asyncio.run(check_source(entry, settings.poll, settings.normalise))
        click.echo(f"{entry.id}: {report.outcome}: {report.message}")
        for title in report.titles:
            click.echo(f"  {title}")
        failed = failed or not report.is_sound
    sys.exit(1 if failed else 0)


@command.command("pause")
@click.argument("name")
@with_settings(SOURCES_OPTION)
def pause_source(settings: Settings, name: str) -> None:
    """Ask a source no more. Its cursor stays. A running poller sees it at its next start."""
    _set_paused(settings, name, paused=True)


@command.command("resume")
@click.argument("name")
@with_settings(SOURCES_OPTION)
def resume_source(settings: Settings, name: str) -> None:
    """Ask a paused source again, from where it was."""
    _set_paused(settings, name, paused=False)


def _set_paused(settings: Settings, name: str, *, paused: bool) -> None:
    """Change one line of the list, and leave its other lines as they are."""
    from config import Misconfigured
    from config.files import CONFIG_FOLDER, find_file

    entry = _find(_load(settings), name)
    path = find_file(settings.poll.sources)
    if path.parent == CONFIG_FOLDER and not Path(settings.poll.sources).exists():
        raise Misconfigured(f"{settings.poll.sources} is the bundled list; name your own with --sources")
    if entry.feed.paused != paused:
        _write(path, set_paused_line(path.read_text("utf-8"), name, paused=paused))
        if _find(_load(settings), name).feed.paused != paused:
            raise Misconfigured(
                f"{path}: [sources.{name}] is written in a way that can't be changed here; edit it"
            )
    click.echo(f"{'paused' if paused else 'resumed'} {name}")


def set_paused_line(text: str, name: str, *, paused: bool) -> str:
    """A list with ``paused = true`` in the table of a source, or without it."""
    quoted = re.escape(name)
    head = re.compile(
        rf"^[ \t]*\[[ \t]*sources\.(?:{quoted}|\"{quoted}\"|'{quoted}')[ \t]*\][^\n]*(?:\n|\Z)", re.MULTILINE
    )
    table = head.search(text)
    if table is None:
        return text
    following = re.compile(r"^[ \t]*\[", re.MULTILINE).search(text, table.end())
    end = following.start() if following else len(text)
    body = re.sub(r"^[ \t]*paused[ \t]*=[^\n]*(?:\n|\Z)", "", text[table.end() : end], flags=re.MULTILINE)
    first = text[: table.end()] if text[: table.end()].endswith("\n") else text[: table.end()] + "\n"
    return first + ("paused = true\n" if paused else "") + body + text[end:]


def _write(path: Path, text: str) -> None:
    from config import Misconfigured

    new = path.with_name(path.name + ".tmp")
    try:
        new.write_text(text, "utf-8")
        new.replace(path)
    except OSError as error:
        raise Misconfigured(
            f"{path}: {error.strerror}; name a list that can be written with --sources"
        ) from error


def _load(settings: Settings) -> Sequence[SourceEntry]:
    from streams.pollers.feed_list import load_feeds
    from streams.sources.declaration import load_sources

    return load_sources(settings.poll.sources, load_feeds(settings.poll.feeds))


def _find(entries: Sequence[SourceEntry], name: str) -> SourceEntry:
    return find_named(entries, name, "no source is called", "wiredesk sources list")
