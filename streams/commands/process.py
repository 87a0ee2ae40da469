"""``wiredesk process``: the pipeline over files or standard input, as the contract says."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from streams.commands.options import ALL_STEPS, format_option, parse_steps, parse_time, with_settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from config.settings import Settings
    from streams.files import FileIdentity, Files
    from streams.process import Result, Tally


# New objects before a collection. A story makes some thousand, in hardly any circle: with Python's 700 each story waits
# for one, with many more memory grows between them.
COLLECTED_OBJECTS = 50_000


@click.command("process")
@click.argument("paths", nargs=-1, metavar="[PATH | -]...", type=click.Path(allow_dash=True))
@click.option("--steps", default=ALL_STEPS, show_default=True, help="The steps to run, normalise among them.")
@format_option
@click.option(
    "--errors",
    type=click.Path(dir_okay=False, writable=True),
    help="Rejected items as JSON Lines. [default: standard error]",
)
@click.option(
    "--now", metavar="TIMESTAMP", help="RFC 3339 clock for items that carry no date. [default: now]"
)
@click.option(
    "--summary/--no-summary",
    default=None,
    help="Count files, items, events and refusals of each format on standard error at the end."
    " [default: where a folder is among the paths]",
)
@with_settings()
def command(
    settings: Settings,
    *,
    paths: tuple[str, ...],
    steps: str,
    format_: str | None,
    errors: str | None,
    now: str | None,
    summary: bool | None,
) -> None:
    """Run the pipeline over files, folders or standard input; write one event a story as JSON Lines.

    `-`, and paths ending in .jsonl, hold one ninjs 3.1 item a line; any other file is one document of a wire format,
    recognised by its bytes. A folder stands for all files below it, sorted by name, without hidden ones; what can't be read
    of it is rejected by its path, and no file is read twice. Exit status: 0 every item became an event, 1 some were
    rejected, 2 bad usage.

    \b
    Examples:
      wiredesk process dispatch.txt | python -m json.tool
      wiredesk process --steps normalise,segment feed.xml
      wiredesk process --errors rejected.jsonl - < items.jsonl > events.jsonl
      wiredesk process --steps normalise --errors rejected.jsonl archive/ > events.jsonl
    """
    from streams.process import Pipeline, Tally, batches, chosen_steps, read_inputs

    names = _parse_steps(steps)
    limit = settings.normalise.max_item_bytes
    tally = Tally()
    try:
        with open(errors, "wb") if errors else nullcontext(sys.stderr.buffer) as rejected:  # noqa: PTH123 -- a path from the user
            files = _files(paths, [sys.stdout.buffer, rejected])
            inputs = read_inputs(files, sys.stdin.buffer, now=_moment(now), format_=format_, limit=limit)
            pipeline = Pipeline(chosen_steps(names), settings)
            gc.freeze()  # words and models stay out of collections
            gc.set_threshold(COLLECTED_OBJECTS)
            for batch in batches(inputs):
                results = pipeline(batch)
                tally.add(batch, results)
                _write(results, sys.stdout.buffer, rejected)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    if summary or (summary is None and any(map(os.path.isdir, paths))):
        _show_tally(tally, files)
    sys.exit(1 if tally.refused else 0)


def _write(results: Sequence[Result], output: BinaryIO, errors: BinaryIO) -> None:
    """Write what came of a batch."""
    import orjson

    from processors.errors import WiredeskError
    from processors.model.codec import encode

    for result in results:
        if isinstance(result.event, WiredeskError):
            error = {"type": result.event.type, "message": str(result.event)}
            line = {"input": result.source.path, "line": result.source.line, "error": error}
            errors.write(orjson.dumps(line) + b"\n")
        else:
            output.write(encode(result.event) + b"\n")
    errors.flush()
    output.flush()


def _show_tally(tally: Tally, files: Files) -> None:
    for line in tally.lines():
        click.echo(line, err=True)
    if files.again:
        click.echo(f"not read twice: {files.again:,} that another path had led to", err=True)


def _parse_steps(text: str) -> list[str]:
    names = parse_steps(text)
    if "normalise" not in names:
        raise click.BadParameter(
            "normalise reads the input, so it must be among the steps", param_hint="--steps"
        )
    return names


def _files(paths: tuple[str, ...], outputs: Iterable[BinaryIO]) -> Files:
    """The files that are to be read; never one that this run writes."""
    from streams.files import STDIN_PATH, Files, file_identity

    if not paths:
        raise click.UsageError(
            "name a file or folder, or - for standard input; see `wiredesk process --help`"
        )
    written = _written(outputs)
    for path in paths:
        if path != STDIN_PATH:
            _check(path)
            if file_identity(Path(path).stat()) in written:
                raise click.BadParameter(
                    f"{path}: is written by this run; write to another", param_hint="PATH"
                )
    return Files(paths, outputs=written)


def _check(path: str) -> None:
    if not Path(path).exists():
        raise click.BadParameter(f"{path}: no such file or folder", param_hint="PATH")
    if not Path(path).is_file() and not Path(path).is_dir():
        raise click.BadParameter(
            f"{path}: a pipe, socket or device; save what it gives as a file", param_hint="PATH"
        )
    if not os.access(path, os.R_OK):
        raise click.BadParameter(f"{path}: can't be read; check its permissions", param_hint="PATH")


def _written(outputs: Iterable[BinaryIO]) -> list[FileIdentity]:
    """The regular files among the outputs; a terminal or pipe is nothing that could be read."""
    import stat

    from streams.files import file_identity

    statuses = [os.fstat(output.fileno()) for output in outputs]
    return [file_identity(status) for status in statuses if stat.S_ISREG(status.st_mode)]


def _moment(now: str | None) -> str:
    """The clock in UTC, ending in Z."""
    moment = parse_time("--now", now) if now else datetime.now(UTC)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
