"""Writes ``docs/commands.md``: the help of every command. ``make commands``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import click

from config.files import CONFIG_FOLDER
from streams.cli import cli

PAGE_FILE: Final = CONFIG_FOLDER.parent / "docs" / "commands.md"
PAGE_HEAD: Final = """\
# Commands
What `--help` says of each command. Exit status: 0 all went well, 1 something of it did not, 2 a wrong use, or a setting that must be changed.

`make commands` writes this page.
"""
HELP_WIDTH: Final = 100  # characters


def commands_page() -> str:
    """The page, as it must be."""
    sections = (f"\n{'#' * depth} {name}\n```text\n{text}\n```\n" for depth, name, text in _helps(cli, None))
    return PAGE_HEAD + "".join(sections)


def _helps(command: click.Command, parent: click.Context | None) -> Iterator[tuple[int, str, str]]:
    """The depth of a command's heading, its whole name and its help; then of those below it."""
    name = "wiredesk" if parent is None else command.name
    context = click.Context(
        command,
        parent,
        info_name=name,
        max_content_width=HELP_WIDTH,
        terminal_width=HELP_WIDTH,
        help_option_names=["-h", "--help"],
    )
    path = context.command_path
    yield 2 if path.count(" ") < 2 else 3, path, command.get_help(context).rstrip()
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            if found:
                yield from _helps(found, context)


def main() -> None:
    """Write the page over the old one."""
    PAGE_FILE.write_text(commands_page(), "utf-8")


if __name__ == "__main__":
    main()
