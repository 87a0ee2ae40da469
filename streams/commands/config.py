"""``wiredesk config``: what the settings say, whether they can be followed, and their JSON Schema."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

CONFIG_OPTION: Callable[..., Any] = click.option(
    "--config",
    "settings_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A settings file (TOML); docs/settings.md says what it may hold.",
)


@click.group("config")
def command() -> None:
    """Check and show the settings.

    \b
    Examples:
      wiredesk config check --config fleet.toml
      wiredesk config show --config fleet.toml --changed
      wiredesk config schema > wiredesk.schema.json
    """


@command.command("check")
@CONFIG_OPTION
def check_config(settings_file: Path | None) -> None:
    """Show all that is wrong with the settings, and with every file that they name, a line each.

    Feeds, sources, routes, watch lists, webhooks with their secrets, services of alerts, certificates. Nothing is started,
    no server is asked. Exit status: 0 all can be followed, 2 something can't.

    \b
    Examples:
      wiredesk config check --config fleet.toml
      WIREDESK_ROUTES_FILE=new-routes.toml wiredesk config check
    """
    from config.redaction import redact_secrets
    from streams.commands.options import count_things
    from streams.settings_check import check_settings

    report = check_settings(settings_file)
    for fault in report.faults:
        click.echo(redact_secrets(fault))
    for path in dict.fromkeys(report.files):
        click.echo(f"read {path}", err=True)
    click.echo(count_things(len(report.faults), "fault") if report.faults else "no fault", err=True)
    sys.exit(2 if report.faults else 0)


@command.command("show")
@CONFIG_OPTION
@click.option("--changed", is_flag=True, help="Only what a file or a variable says.")
def show_config(settings_file: Path | None, changed: bool) -> None:
    """Show the settings in force as TOML, each with where it was said; secrets are hidden.

    \b
    Examples:
      wiredesk config show --config fleet.toml | grep kafka
      wiredesk config show --config fleet.toml --changed
    """
    from streams.settings_check import describe_settings

    lines = list(describe_settings(settings_file, changed=changed))
    for line in lines or ["# every setting has its default: no file and no variable says another value"]:
        click.echo(line)


@command.command("schema")
def show_schema() -> None:
    """Show the JSON Schema of a settings file, by which editors complete and check it.

    \b
    Examples:
      wiredesk config schema > wiredesk.schema.json
      #:schema ./wiredesk.schema.json             the first line of a settings file, for editors with Taplo
    """
    import orjson

    from config.schema import settings_schema
    from config.settings import Settings

    click.echo(orjson.dumps(settings_schema(Settings), option=orjson.OPT_INDENT_2).decode())
