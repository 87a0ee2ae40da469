"""The option ``--format``, which names a wire format instead of sniffing it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click


def format_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--format``, whose value is None or the name of a format that exists."""
    return click.option(
        "--format",
        "format_",
        metavar="NAME",
        callback=_checked,
        help="The wire format, instead of sniffing it; a wrong name lists all.",
    )(command)


def _checked(_context: click.Context, _parameter: click.Parameter, name: str | None) -> str | None:
    if name is None:
        return None
    from processors.normalise.formats import BY_NAME  # with all readers, so only here

    if name not in BY_NAME:
        raise click.BadParameter(f"no format is called {name!r}; known are {', '.join(BY_NAME)}")
    return name
