"""Options that several commands share, and how their texts are read.

`with_settings` reads the settings for every command: a file that ``--config`` names, under the variables of the
environment, under the options that stand for a setting.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import click

from processors.times import to_milliseconds
from streams.topology import STEP_NAMES

if TYPE_CHECKING:
    from config.settings import Settings
    from streams.embedded.maintenance import EmbeddedRawLog
    from streams.kafka.session import Session

Command = TypeVar("Command", bound=Callable[..., Any])


class HasId(Protocol):
    """What is listed under an id."""

    @property
    def id(self) -> str:
        """Its id."""


ListedEntry = TypeVar("ListedEntry", bound=HasId)
ALL_STEPS: Final = ",".join(STEP_NAMES)


@dataclass(frozen=True, slots=True)
class SettingOption:
    """An option that stands for a setting: what it says beats the settings file and the environment."""

    flag: str
    key: str
    help: str
    type: click.ParamType | None = None
    metavar: str | None = None

    @property
    def name(self) -> str:
        """The name of its parameter."""
        return self.key.replace(".", "_")

    def add_to(self, command: Command) -> Command:
        """The command with this option."""
        return click.option(self.flag, self.name, type=self.type, metavar=self.metavar, help=self.help)(
            command
        )


DATA_OPTION: Final = SettingOption(
    "--data",
    "embedded.data",
    "The folder of `wiredesk run`. [default: embedded.data of the settings, which is data]",
    click.Path(file_okay=False),
)
FEEDS_OPTION: Final = SettingOption(
    "--feeds",
    "poll.feeds",
    "The list of feeds: a .toml or .opml file. [default: poll.feeds of the settings, or the bundled list]",
    metavar="FILE",
)
SOURCES_OPTION: Final = SettingOption(
    "--sources",
    "poll.sources",
    "The list of sources beside feeds: a .toml file. [default: poll.sources of the settings, or the bundled list]",
    metavar="FILE",
)
PORT_OPTION: Final = SettingOption(
    "--port", "desk.port", "The desk's port. [default: 8080]", click.IntRange(0, 65535)
)
TOKENS_OPTION: Final = SettingOption(
    "--tokens",
    "desk.tokens",
    "The file of the tokens. [default: desk.tokens of the settings, or tokens.json in the data folder]",
    metavar="FILE",
)
ROUTES_OPTION: Final = SettingOption(
    "--routes",
    "routes.file",
    "The file of the rules. [default: routes.file of the settings, or the bundled routes.toml]",
    metavar="FILE",
)


def with_settings(*options: SettingOption) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add ``--config`` and these options to a command, which gets the settings as its first argument.

    Raises:
        Misconfigured: when the command is called, where the settings can't be followed.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def call(*, settings_file: Path | None, **values: Any) -> None:
            from config.settings import load, override_settings

            said = {option.key: values.pop(option.name) for option in options}
            command(override_settings(load(settings_file), said), **values)

        for option in reversed(options):
            call = option.add_to(call)
        return click.option(
            "--config",
            "settings_file",
            type=click.Path(dir_okay=False, path_type=Path),
            help="A settings file (TOML); docs/settings.md says what it may hold.",
        )(call)

    return decorate


def kafka_option(command: Command) -> Command:
    """``--kafka``: the command gets it as `kafka`."""
    return click.option(
        "--kafka", is_flag=True, help="The topics of the Kafka runtime. [default: the embedded log]"
    )(command)


def format_option(command: Command) -> Command:
    """``--format NAME``: the command gets as `format_` None or the name of a format that exists."""
    return click.option(
        "--format",
        "format_",
        metavar="NAME",
        callback=_check_format,
        help="The wire format, instead of sniffing it; a wrong name lists all.",
    )(command)


def parse_steps(text: str) -> list[str]:
    """The steps that ``--steps`` names, in its order.

    Raises:
        click.BadParameter: one is unknown, or none is named.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in STEP_NAMES]
    if unknown or not names:
        what = f"no step is called {unknown[0]!r}" if unknown else "no step is named"
        raise click.BadParameter(f"{what}; the steps are {ALL_STEPS}", param_hint="--steps")
    return names


def parse_time(option: str, text: str) -> datetime:
    """An RFC 3339 timestamp, or a date alone, in UTC; one without an offset counts as UTC.

    Raises:
        click.BadParameter: it is no time; the message shows one.
    """
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{text!r} is no RFC 3339 timestamp, such as 2026-01-31T12:00:00Z", param_hint=option
        ) from None


def parse_milliseconds(option: str, text: str | None) -> int | None:
    """The same in milliseconds since the epoch; None stays None."""
    return None if text is None else to_milliseconds(parse_time(option, text).isoformat())


def count_things(number: int, noun: str) -> str:
    """A number with its noun: ``1 topic``, ``1,200 topics``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def log_files(settings: Settings, *keys: str) -> None:
    """Log which file each of these settings led to; call it once logging is configured."""
    import structlog

    from config.files import find_file

    for key in keys:
        if name := attrgetter(key)(settings):
            structlog.get_logger("wiredesk").info("reads a file", setting=key, path=str(find_file(name)))


def configure_kafka_logs(settings: Settings) -> None:
    """Send the log where the settings say, without what Kafka's client says of every connection."""
    from streams.kafka.service import limit_client_logs
    from streams.startup import configure_logs

    configure_logs(settings.log)
    limit_client_logs()


@contextmanager
def open_raw_log(settings: Settings, *, kafka: bool) -> Iterator[Session | EmbeddedRawLog]:
    """The log of either runtime, for as long as a command reads it."""
    if kafka:
        from streams.kafka.cluster import Cluster
        from streams.kafka.session import Session

        configure_kafka_logs(settings)
        with Session(Cluster(settings.kafka)) as session:
            yield session
        return
    from streams.embedded.data_file import find_data_file
    from streams.embedded.log import Log
    from streams.embedded.maintenance import EmbeddedRawLog

    log = Log(find_data_file(Path(settings.embedded.data), or_kafka=True))
    try:
        yield EmbeddedRawLog(log)
    finally:
        log.close()


def find_named(entries: Sequence[ListedEntry], name: str, refusal: str, listing: str) -> ListedEntry:
    """The entry of an id; `listing` is the command that lists them all.

    Raises:
        Misconfigured: there is none; the message names the nearest.
    """
    from difflib import get_close_matches

    from config import Misconfigured

    entry = next((entry for entry in entries if entry.id == name), None)
    if entry is None:
        near = get_close_matches(name, [entry.id for entry in entries], 1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; see `{listing}`"
        raise Misconfigured(f"{refusal} {name!r}{hint}")
    return entry


def record_change(settings: Settings, what: str, target: str, result: str) -> None:
    """Write down who has changed what by a command, where the desk shows it; nowhere where no desk has its file."""
    import getpass
    import os
    import time

    from processors.errors import Transient
    from sinks.desk.changes import FILE_NAME, append_change, describe_change

    path = Path(settings.desk.changes or Path(settings.embedded.data) / FILE_NAME)
    if not path.parent.is_dir():
        return
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a number without a name, as in containers
        user = f"user {os.getuid()}"
    try:
        append_change(path, describe_change(f"{user}, by command", what, target, result, time.time()))
    except Transient as error:
        click.echo(f"wiredesk: {error}", err=True)


def _check_format(_context: click.Context, _option: click.Parameter, name: str | None) -> str | None:
    if name is None:
        return None
    from processors.normalise.formats import BY_NAME  # with all readers, so only here

    if name not in BY_NAME:
        raise click.BadParameter(f"no format is called {name!r}; known are {', '.join(BY_NAME)}")
    return name
