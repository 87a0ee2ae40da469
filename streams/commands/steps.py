"""Names of steps on the command line."""

from __future__ import annotations

import click

ALL_STEPS = "normalise,deduplicate,segment,tag"  # as in `streams.topology`, which help does not wait for


def names(told: str) -> list[str]:
    """The steps that ``--steps`` names, in its order.

    Raises:
        click.BadParameter: one is unknown, or none is named.
    """
    found = [name.strip() for name in told.split(",") if name.strip()]
    unknown = [name for name in found if name not in ALL_STEPS.split(",")]
    if unknown or not found:
        what = f"no step is called {unknown[0]!r}" if unknown else "no step is named"
        raise click.BadParameter(f"{what}; the steps are {ALL_STEPS}", param_hint="--steps")
    return found
