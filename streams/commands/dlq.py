"""``wiredesk dlq``: what was rejected, why, and back into the pipeline once the cause is mended."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from streams.dead_letters import DeadLetter, Filter, Source


def _place(call: Callable[..., Any]) -> Callable[..., Any]:
    """Options that name the log."""
    call = click.option(
        "--kafka", is_flag=True, help="The topics of the Kafka runtime. [default: the embedded log]"
    )(call)
    call = click.option(
        "--data", type=click.Path(path_type=Path), help="The embedded log's folder. [default: data]"
    )(call)
    return click.option("--config", type=click.Path(path_type=Path), help="A settings file (TOML).")(call)


def _filters(call: Callable[..., Any]) -> Callable[..., Any]:
    """Options that choose letters."""
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
    """


@command.command("list")
@_filters
@_place
def list_(config: Path | None, data: Path | None, kafka: bool, **told: str | None) -> None:
    """List dead letters: id, time, step, error, feed, message; tabs between them."""
    from streams.dead_letters import dead_letters

    count = 0
    for letter in dead_letters(_source(config, data, kafka), _filter(told)):
        count += 1
        message = letter.message.replace("\t", " ").replace("\n", " ")
        click.echo(
            "\t".join((letter.id, letter.time, letter.step, letter.error, letter.feed or "-", message))
        )
    click.echo(f"{count} dead letters", err=True)


@command.command("show")
@click.argument("identity", metavar="ID")
@click.option("--headers", is_flag=True, help="The headers and the reason, instead of the bytes.")
@_place
def show(identity: str, headers: bool, config: Path | None, data: Path | None, kafka: bool) -> None:
    """Write the rejected bytes of one dead letter to standard output, as the publisher sent them."""
    letter = _one(_source(config, data, kafka), identity)
    if headers:
        for name, value in letter.record.headers:
            click.echo(f"{name}: {value.decode('utf-8', 'backslashreplace')}")
    else:
        click.get_binary_stream("stdout").write(letter.payload)


@command.command("replay")
@click.argument("identities", metavar="[ID]...", nargs=-1)
@_filters
@_place
def replay(
    identities: tuple[str, ...], config: Path | None, data: Path | None, kafka: bool, **told: str | None
) -> None:
    """Put dead letters back on the topics they came from: the named ones, or those that pass the filters."""
    source = _source(config, data, kafka)
    count = source.replay(_chosen(source, identities, told))
    click.echo(f"{count} replayed")


@command.command("drop")
@click.argument("identities", metavar="[ID]...", nargs=-1)
@_filters
@_place
def drop(
    identities: tuple[str, ...], config: Path | None, data: Path | None, kafka: bool, **told: str | None
) -> None:
    """Forget dead letters: the named ones, or those that pass the filters (at least one filter)."""
    if not identities and not any(told.values()):
        raise click.UsageError("name the letters, or choose them with --step, --error, --feed or --since")
    source = _source(config, data, kafka)
    click.echo(f"{source.drop(_chosen(source, identities, told))} dropped")


def _chosen(source: Source, identities: tuple[str, ...], told: dict[str, str | None]) -> list[DeadLetter]:
    from streams.dead_letters import dead_letters

    if identities:
        return [_one(source, identity) for identity in identities]
    return list(dead_letters(source, _filter(told)))


def _one(source: Source, identity: str) -> DeadLetter:
    from streams.dead_letters import DeadLetter

    topic = identity.partition("/")[0]
    for record in source.read([topic]):
        letter = DeadLetter(record)
        if letter.id == identity:
            return letter
    raise click.BadParameter(f"no dead letter is {identity!r}; see `wiredesk dlq list`", param_hint="ID")


def _filter(told: dict[str, str | None]) -> Filter:
    from streams.dead_letters import Filter
    from streams.messages import milliseconds

    try:
        since = milliseconds(told["since"]) if told["since"] else None
    except (ValueError, TypeError):
        raise click.BadParameter(
            "write an RFC 3339 time, such as 2026-01-31T12:00:00Z", param_hint="--since"
        ) from None
    return Filter(told["step"], told["error"], told["feed"], since)


def _source(config: Path | None, data: Path | None, kafka: bool) -> Source:
    from config.errors import Misconfigured
    from config.settings import load
    from streams.dead_letters import Embedded
    from streams.log import DATABASE

    settings = load(config)
    if kafka:
        from streams.kafka.dead_letters import KafkaDeadLetters

        return KafkaDeadLetters(settings.kafka)
    path = (data or Path(settings.embedded.data)) / DATABASE
    if not path.is_file():
        raise Misconfigured(f"{path}: no such log; name its folder with --data, or say --kafka")
    return Embedded(path)
