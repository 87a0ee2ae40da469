"""The command ``wiredesk``: each subcommand is loaded only when it is called, so that ``--help`` is instant."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Final

import click

from config import Misconfigured, install_hint
from config.redaction import redact_secrets
from processors.errors import Transient
from streams.startup import configure_numpy, print_redacted, raise_file_limit

NO_THREAD: Final = "can't start new thread"  # what Python says where there is no memory for one
# What each extra of pyproject.toml brings, by the module that a command misses without it.
PACKAGE_EXTRAS: Final = {
    "aiokafka": "kafka",
    "faust": "kafka",
    "mode": "kafka",
    "elasticsearch": "elasticsearch",
    "elastic_transport": "elasticsearch",
    "pyarrow": "parquet",
}
FLEET_EXTRAS: Final = frozenset({"kafka", "elasticsearch"})
COMMANDS: Final = {
    "run": "Poll, process and show stories on this machine (SQLite, web desk).",
    "process": "Run the pipeline over files, folders or standard input; events as JSON Lines.",
    "poll": "Poll feeds and publish raw items to Kafka.",
    "worker": "Run pipeline steps on Kafka.",
    "sink": "Write enriched events from Kafka to Elasticsearch.",
    "desk": "Show the web desk over Elasticsearch.",
    "topics": "Create and check the Kafka topics.",
    "index": "Create, check, renew and prune the Elasticsearch index.",
    "export": "Write stories of an index to a file: JSON Lines, CSV or Parquet.",
    "routes": "Check and explain the routes to topics.",
    "backfill": "Send files of old news through the pipeline, behind live items and without alerts.",
    "replay": "Run raw items of a time range again, after a parser's change.",
    "dlq": "List, show, replay and drop dead letters.",
    "trace": "Say where a story is, and how it came there: raw item, steps, repeats, routes, dead letters, index.",
    "tap": "Show the records of a topic as they come, those that fit a query.",
    "backup": "Copy the data folder of this machine into one file, while it runs.",
    "restore": "Make a data folder of a backup.",
    "config": "Check and show the settings and the files that they name.",
    "feeds": "List, check, add, import and export feeds.",
    "token": "Make, list and revoke the tokens that the desk asks for.",
    "sources": "List, check, pause and resume sources beside feeds: APIs, mailboxes, servers, queues.",
}


class LazyGroup(click.Group):
    """A group whose commands live in `streams.commands`, one module each."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        """The names, in the order of the pipeline."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- click's signature
        """Load one command; None for an unknown name."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"streams.commands.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 -- click's signature
        """List the commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with `wiredesk run`, or look at one file with `wiredesk process FILE`.",
)
@click.version_option(package_name="wiredesk")
def cli() -> None:
    """Live news wires in; clean, deduplicated, segmented and tagged stories out.

    \b
    Examples:
      wiredesk run                         stories on http://127.0.0.1:8080 within a minute
      wiredesk process dispatch.txt        one event on standard output
      wiredesk worker --config fleet.toml  all steps on Kafka
    """


def main() -> None:
    """The console script. One line instead of a stack trace for what the operator (status 2) or the world did."""
    sys.excepthook = print_redacted
    configure_numpy(os.environ)
    raise_file_limit()
    try:
        cli()
    except Misconfigured as error:
        click.echo(redact_secrets(f"wiredesk: {error}"), err=True)
        sys.exit(2)
    except Transient as error:
        click.echo(redact_secrets(f"wiredesk: {error}; try again when it answers"), err=True)
        sys.exit(1)
    except ModuleNotFoundError as error:
        if (extra := PACKAGE_EXTRAS.get((error.name or "").partition(".")[0])) is None:
            raise
        what = f"this needs {error.name}, of the extra {extra}"
        fleet = "; `make fleet` installs all that a fleet needs" if extra in FLEET_EXTRAS else ""
        click.echo(f"wiredesk: {what}: {install_hint(extra)}{fleet}", err=True)
        sys.exit(2)
    except MemoryError:
        sys.exit(_say_memory_is_short())
    except RuntimeError as error:
        if str(error) != NO_THREAD:
            raise
        sys.exit(_say_memory_is_short())


def _say_memory_is_short() -> int:
    click.echo("wiredesk: memory is short; raise the limit of this process (ulimit -v, MemoryMax)", err=True)
    return 1
