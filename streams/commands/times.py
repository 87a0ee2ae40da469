"""Times on the command line."""

from __future__ import annotations

from datetime import UTC, datetime

import click


def in_utc(option: str, told: str) -> datetime:
    """An RFC 3339 timestamp, or a date alone, in UTC; one without an offset counts as UTC.

    Raises:
        click.BadParameter: it is no time; the message shows one.
    """
    try:
        moment = datetime.fromisoformat(told)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{told!r} is no RFC 3339 timestamp, such as 2026-01-31T12:00:00Z", param_hint=option
        ) from None


def moment(option: str, told: str | None) -> int | None:
    """The same in milliseconds since the epoch; None stays None."""
    from streams.messages import milliseconds

    return None if told is None else milliseconds(in_utc(option, told).isoformat())
