"""``wiredesk dlq``: what was rejected, why, and back into the pipeline once the cause is mended."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from streams.commands.options import (
    DATA_OPTION,
    configure_kafka_logs,
    kafka_option,
    parse_milliseconds,
    record_change,
    with_settings,
)

if TYPE_CHECKING:
    from config.settings import Settings
    from streams.dead_letters import DeadLetter, DeadLetterSource, Filter


def _filters(call: Callable[..., Any]) -> Callable[..., Any]:
    """Options that choose letters."""
    call = click.option("--until", metavar="TIMESTAMP", help="Received before this time.")(call)
    call = click.option("--since", metavar="TIMESTAMP", help="Received at or after this RFC 3339 time.")(call)
    call = click.option("--feed", help="Only of this feed.")(call)
    call = click.option("--error", help="Only with this error type (Malformed, NotAFeed, Bug …).")(call)
    return click.option("--step", help="Only from this step.")(call)


@click.group("dlq")
def command() -> None:
    """Dead letters: items that were rejected, kept with their bytes and the reason.

    \b
    Examples:
      wiredesk dlq list --error Malformed
      wiredesk dlq show wire.items.raw.v1.dlq/0/3 > item.xml
      wiredesk dlq replay --feed bbc        after the cause is mended
      wiredesk dlq drop --step poll --until 2026-01-31
    """


@command.command("list")
@_filters
@kafka_option
@with_settings(DATA_OPTION)
def list_letters(settings: Settings, kafka: bool, **filters: str | None) -> None:
    """List dead letters: id, time, step, error, feed, message; tabs between them.

    \b
    Examples:
      wiredesk dlq list --step normalise --since 2026-01-31T06:00:00Z
      wiredesk dlq list --kafka --config fleet.toml | cut -f 3,4 | sort | uniq -c
    """
    from streams.dead_letters import filter_letters

    wanted, count = _filter(filters), 0
    with _open_source(settings, kafka=kafka) as source:
        for letter in filter_letters(source, wanted):
            count += 1
            message = letter.message.replace("\t", " ").replace("\n", " ")
            click.echo(
                "\t".join((letter.id, letter.time, letter.step, letter.error, letter.feed or "-", message))
            )
    click.echo(f"{count} dead letters", err=True)


@command.command("show")
@click.argument("identity", metavar="ID")
@click.option("--headers", is_flag=True, help="The headers and the reason, instead of the bytes.")
@kafka_option
@with_settings(DATA_OPTION)
def show_letter(settings: Settings, identity: str, headers: bool, kafka: bool) -> None:
    """Write the rejected bytes of one dead letter to standard output, as the publisher sent them.

    \b
    Examples:
      wiredesk dlq show wire.items.raw.v1.dlq/0/3 > item && wiredesk process item
      wiredesk dlq show --headers wire.items.raw.v1.dlq/0/3
    """
    with _open_source(settings, kafka=kafka) as source:
        letter = _find(source, identity)
    if headers:
        for name, value in letter.record.headers:
            click.echo(f"{name}: {value.decode('utf-8', 'backslashreplace')}")
    else:
        click.get_binary_stream("stdout").write(letter.payload)


@command.command("replay")
@click.argument("identities", metavar="[ID]...", nargs=-1)
@click.option("--force", is_flag=True, help="Also those that came back three times.")
@_filters
@kafka_option
@with_settings(DATA_OPTION)
def replay_letters(
    settings: Settings,
    identities: tuple[str, ...],
    *,
    force: bool,
    kafka: bool,
    **filters: str | None,
) -> None:
    """Put dead letters back on the topics they came from: the named ones, or those that pass the filters.

    A letter whose replay was rejected again comes back as a new one; after three times it stays, unless forced.

    \b
    Examples:
      wiredesk dlq replay --error Malformed --feed bbc
      wiredesk dlq replay --kafka --config fleet.toml --step tag
      wiredesk dlq replay --force wire.items.raw.v1.dlq/0/3
    """
    from streams.dead_letters import MAX_REPLAYS, replay_letters

    with _open_source(settings, kafka=kafka) as source:
        outcome = replay_letters(source, _choose(source, identities, filters), force=force)
    click.echo(f"{outcome.count} replayed")
    if empty := outcome.empty:
        click.echo(
            f"{len(empty)} stay ({empty[0].id}, …): they hold no bytes, as no topic took so many. "
            "Ask the publisher for the item, then drop them",
            err=True,
        )
    if worn_out := outcome.worn_out:
        click.echo(
            f"{len(worn_out)} stay ({worn_out[0].id}, …): replayed {MAX_REPLAYS} times and rejected again. "
            "Mend the cause, then say --force; or drop them",
            err=True,
        )
    if empty and not outcome.count:
        sys.exit(1)


@command.command("drop")
@click.argument("identities", metavar="[ID]...", nargs=-1)
@_filters
@kafka_option
@with_settings(DATA_OPTION)
def drop_letters(settings: Settings, identities: tuple[str, ...], kafka: bool, **filters: str | None) -> None:
    """Forget dead letters: the named ones, or those that pass the filters (at least one filter).

    \b
    Examples:
      wiredesk dlq drop wire.items.raw.v1.dlq/0/3
      wiredesk dlq drop --kafka --config fleet.toml --until 2026-01-01
    """
    if not identities and not any(filters.values()):
        raise click.UsageError(
            "name the letters, or choose them with --step, --error, --feed, --since, --until"
        )
    with _open_source(settings, kafka=kafka) as source:
        count = source.drop(_choose(source, identities, filters))
    click.echo(f"{count} dropped")
    record_change(settings, "drop dead letters", _describe_choice(identities, filters), f"{count} changed")


def _choose(
    source: DeadLetterSource, identities: tuple[str, ...], filters: dict[str, str | None]
) -> list[DeadLetter]:
    from streams.dead_letters import filter_letters

    wanted = _filter(filters)
    if identities:
        letters = [_find(source, identity) for identity in dict.fromkeys(identities)]
        return [letter for letter in letters if wanted.passes(letter)]
    return list(filter_letters(source, wanted))


def _find(source: DeadLetterSource, identity: str) -> DeadLetter:
    from streams.dead_letters import find_letter

    letter = find_letter(source, identity)
    if letter is None:
        raise click.BadParameter(f"no dead letter is {identity!r}; see `wiredesk dlq list`", param_hint="ID")
    return letter


def _filter(filters: dict[str, str | None]) -> Filter:
    from streams.dead_letters import Filter

    since, until = (parse_milliseconds(f"--{name}", filters[name]) for name in ("since", "until"))
    return Filter(filters["step"], filters["error"], filters["feed"], since, until)


def _describe_choice(identities: tuple[str, ...], filters: dict[str, str | None]) -> str:
    return ", ".join(identities) or " ".join(f"{name}={value}" for name, value in filters.items() if value)


@contextmanager
def _open_source(settings: Settings, *, kafka: bool) -> Iterator[DeadLetterSource]:
    from streams.embedded.data_file import find_data_file
    from streams.embedded.maintenance import EmbeddedDeadLetters

    source: DeadLetterSource
    if kafka:
        from streams.kafka.dead_letters import KafkaDeadLetters

        configure_kafka_logs(settings)
        source = KafkaDeadLetters(settings.kafka)
    else:
        source = EmbeddedDeadLetters(find_data_file(Path(settings.embedded.data), or_kafka=True))
    try:
        yield source
    finally:
        source.close()
