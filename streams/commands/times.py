"""Times on the command line."""

from __future__ import annotations

import click


def moment(option: str, told: str | None) -> int | None:
    """An RFC 3339 time as milliseconds since the epoch; one without an offset is UTC, None stays None.

    Raises:
        click.BadParameter: it is no time; the message shows one.
    """
    from streams.messages import milliseconds

    if told is None:
        return None
    try:
        return milliseconds(told)
    except TypeError:
        return milliseconds(f"{told}Z") if "T" in told else milliseconds(f"{told}T00:00:00Z")
    except ValueError:
        raise click.BadParameter(
            f"{told!r} is no RFC 3339 time, such as 2026-01-31T12:00:00Z", param_hint=option
        ) from None
