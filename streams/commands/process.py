"""``wiredesk process``: the pipeline over files or standard input, as the contract says."""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import click

ALL_STEPS = "normalise,deduplicate,segment,tag"


@click.command("process")
@click.argument("paths", nargs=-1, metavar="[PATH | -]...", type=click.Path(dir_okay=False, allow_dash=True))
@click.option("--steps", default=ALL_STEPS, show_default=True, help="The steps to run, normalise among them.")
@click.option("--format", "format_", metavar="NAME", help="The wire format, instead of sniffing it.")
@click.option(
    "--errors",
    type=click.Path(dir_okay=False, writable=True),
    help="Rejected items as JSON Lines. [default: standard error]",
)
@click.option(
    "--now", metavar="TIMESTAMP", help="RFC 3339 clock for items that carry no date. [default: now]"
)
@click.option("--config", "config_path", type=click.Path(path_type=Path), help="A settings file (TOML).")
def command(
    paths: tuple[str, ...],
    steps: str,
    format_: str | None,
    errors: str | None,
    now: str | None,
    config_path: Path | None,
) -> None:
    """Run the pipeline over files or standard input; write one event a story as JSON Lines.

    `-`, and paths ending in .jsonl, hold one ninjs 3.1 item a line; any other file is one document of a wire format,
    told by its bytes. Exit status: 0 every item became an event, 1 some were rejected, 2 bad usage.

    \b
    Examples:
      wiredesk process dispatch.txt | python -m json.tool
      wiredesk process --steps normalise,segment feed.xml
      wiredesk process --errors rejected.jsonl - < items.jsonl > events.jsonl
    """
    from config.settings import load
    from streams.process import Pipeline, batches, chosen, read_inputs

    wanted = _steps(steps)
    settings = load(config_path)
    inputs = read_inputs(
        _existing(paths),
        sys.stdin.buffer,
        now=_moment(now),
        format_=format_,
        limit=settings.normalise.max_item_bytes,
    )
    rejected = False
    try:
        with open(errors, "wb") if errors else nullcontext(sys.stderr.buffer) as told:  # noqa: PTH123 -- a path from the user
            pipeline = Pipeline(chosen(wanted), settings)
            for batch in batches(inputs):
                rejected |= _write(pipeline(batch), sys.stdout.buffer, told)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    sys.exit(1 if rejected else 0)


def _write(results: list[Any], output: BinaryIO, errors: BinaryIO) -> bool:
    """Write a batch; whether something of it was rejected."""
    import orjson

    from processors.codec import encode
    from processors.errors import WiredeskError

    rejected = False
    for result in results:
        if isinstance(result.event, WiredeskError):
            rejected = True
            error = {"type": result.event.type, "message": str(result.event)}
            line = {"input": result.source.path, "line": result.source.line, "error": error}
            errors.write(orjson.dumps(line) + b"\n")
        else:
            output.write(encode(result.event) + b"\n")
    errors.flush()
    output.flush()
    return rejected


def _steps(told: str) -> list[str]:
    names = [name.strip() for name in told.split(",") if name.strip()]
    unknown = [name for name in names if name not in ALL_STEPS.split(",")]
    if unknown:
        raise click.BadParameter(
            f"no step is called {unknown[0]!r}; the steps are {ALL_STEPS}", param_hint="--steps"
        )
    if "normalise" not in names:
        raise click.BadParameter(
            "normalise reads the input, so it must be among the steps", param_hint="--steps"
        )
    return names


def _existing(paths: tuple[str, ...]) -> tuple[str, ...]:
    if not paths:
        raise click.UsageError("name a file, or - for standard input; see `wiredesk process --help`")
    for path in paths:
        if path != "-" and not Path(path).is_file():
            raise click.BadParameter(f"{path}: no such file", param_hint="PATH")
        if path != "-" and not os.access(path, os.R_OK):
            raise click.BadParameter(f"{path}: can't be read; check its permissions", param_hint="PATH")
    return paths


def _moment(now: str | None) -> str:
    """The clock in UTC, ending in Z."""
    try:
        moment = datetime.fromisoformat(now) if now else datetime.now(UTC)
    except ValueError:
        raise click.BadParameter(
            f"{now!r} is no RFC 3339 timestamp, such as 2026-01-31T12:00:00Z", param_hint="--now"
        ) from None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
