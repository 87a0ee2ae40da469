"""``wiredesk restore``: a data folder of a backup."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.commands.options import DATA_OPTION, with_settings

if TYPE_CHECKING:
    from config.settings import Settings


@click.command("restore")
@with_settings(DATA_OPTION)
@click.argument("source", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def command(settings: Settings, *, source: Path) -> None:
    """Make the data folder of FILE, which `wiredesk backup` made. The folder must be empty, or not there.

    Feeds are then polled from where they stood at that moment; of what came since, what feeds still carry comes again.

    \b
    Examples:
      wiredesk restore wire.backup
      wiredesk restore --data /var/lib/wiredesk /backup/wire-2026-01-31
    """
    from streams.embedded.backup import restore_backup

    folder = Path(settings.embedded.data)
    manifest = restore_backup(source, folder)
    click.echo(f"{folder}: as it was at {manifest.at}; start it with wiredesk run --data {folder}")
