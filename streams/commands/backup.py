"""``wiredesk backup``: one file with all of a data folder, while the pipeline runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.commands.options import DATA_OPTION, with_settings

if TYPE_CHECKING:
    from config.settings import Settings


@click.command("backup")
@with_settings(DATA_OPTION)
@click.argument("target", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
def command(settings: Settings, *, target: Path) -> None:
    """Copy the data folder of `wiredesk run` into FILE, while it runs.

    The copy is of one moment: log, index and what is remembered agree. FILE appears whole or not at all, and an older
    one of that name is replaced then. `wiredesk restore` makes a data folder of it.

    \b
    Examples:
      wiredesk backup wire.backup
      wiredesk backup --data /var/lib/wiredesk /backup/wire-$(date +%F)
    """
    from streams.embedded.backup import write_backup

    manifest = write_backup(Path(settings.embedded.data), target.absolute())
    size = target.stat().st_size
    click.echo(f"{target}: {size:,} bytes, {len(manifest.hashes)} of the folder's files, as of {manifest.at}")
