"""Names of steps on the command line."""

from __future__ import annotations

import click

from streams.topology import STEP_NAMES

ALL_STEPS = ",".join(STEP_NAMES)


def names(told: str) -> list[str]:
    """The steps that ``--steps`` names, in its order.

    Raises:
        click.BadParameter: one is unknown, or none is named.
    """
    found = [name.strip() for name in told.split(",") if name.strip()]
    unknown = [name for name in found if name not in STEP_NAMES]
    if unknown or not found:
        what = f"no step is called {unknown[0]!r}" if unknown else "no step is named"
        raise click.BadParameter(f"{what}; the steps are {ALL_STEPS}", param_hint="--steps")
    return found
