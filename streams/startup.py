"""What a process sets up first: how numpy sorts on its processor, how many files it may open, where its log goes.

numpy sorts with x86-simd-sort, which packs numbers by a store that AMD's Zen 4 emulates in microcode (AMD's
optimization guide for Zen 4, 57647, 2.11.2: avoid the memory form of COMPRESS; numpy/x86-simd-sort issue 6). Without
AVX-512 it sorts four times as fast there. Intel's processors and Zen 5 have no such fault. Nothing that is computed
changes. Nothing heavy is imported here: numpy must be told before it is loaded.
"""

from __future__ import annotations

import logging
import os
import resource
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from config.redaction import redact_secrets, redact_values

if TYPE_CHECKING:
    import structlog

    from config.settings import LogSettings

NUMPY_VARIABLE: Final = (
    "NPY_DISABLE_CPU_FEATURES"  # numpy reads it when it is loaded; what the operator set stands
)
_SLOW: Final = "X86_V4 AVX512_ICL"  # the groups of features, as numpy names them, that such a processor has
# More than any installation needs. Some containers allow a thousand million, which older libraries count through.
MAX_OPEN_FILES: Final = 1_048_576
_CPUS: Final = Path("/proc/cpuinfo")


def configure_numpy(environment: MutableMapping[str, str]) -> None:
    """Have numpy sort without AVX-512 where that is slower; to be called before anything imports numpy."""
    if NUMPY_VARIABLE in environment:
        return
    try:
        with _CPUS.open(encoding="utf-8", errors="replace") as stream:
            cpuinfo = stream.read(8192)
    except OSError:  # no Linux
        return
    if sorts_slowly(cpuinfo):
        environment[NUMPY_VARIABLE] = _SLOW


def sorts_slowly(cpuinfo: str) -> bool:
    """Whether the first processor of a ``/proc/cpuinfo`` is a Zen 4: AMD's family 25 (19h) with AVX-512."""
    first, _, _ = cpuinfo.partition("\n\n")
    pairs = [line.partition(":") for line in first.splitlines()]
    facts = {name.strip(): value.strip() for name, _, value in pairs}
    flags = facts.get("flags", "").split()
    return (
        facts.get("vendor_id") == "AuthenticAMD"
        and facts.get("cpu family") == "25"
        and "avx512_vbmi2" in flags
    )


def raise_file_limit() -> None:
    """Raise the limit of open files to what the system allows: connections count as files, and 1,024 are soon taken."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # a system that promises more than it gives
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def configure_logs(settings: LogSettings) -> None:
    """Send structlog, and the standard library's loggers, to standard error, as text or JSON (``[log]``)."""
    import structlog

    level = logging.getLevelNamesMapping()[settings.level.upper()]
    renderer: structlog.typing.Processor = structlog.processors.JSONRenderer()
    if settings.format == "text":
        renderer = structlog.dev.ConsoleRenderer(colors=may_colour(sys.stderr.isatty(), os.environ))
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _redact_line,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LibraryFormatter(renderer))
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler])


def may_colour(is_terminal: bool, environment: Mapping[str, str]) -> bool:
    """Whether lines may have colours: on a terminal that knows them, unless NO_COLOR says no (https://no-color.org)."""
    return is_terminal and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


class LibraryFormatter(logging.Formatter):
    """Lines of libraries (aiokafka, Faust, elasticsearch, aiohttp) in the form of our own: time, level, JSON or text.

    So whoever ships the log can read every line of it.
    """

    def __init__(self, renderer: structlog.typing.Processor) -> None:
        """`renderer` writes the lines of our own."""
        super().__init__()
        self._renderer = renderer

    def format(self, record: logging.LogRecord) -> str:
        """The line as it is written, without secrets."""
        moment = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "event": record.getMessage(),
            "logger": record.name,
            "level": record.levelname.lower(),
            "timestamp": moment.isoformat().replace("+00:00", "Z"),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        name = record.levelname.lower()
        return str(self._renderer(None, name, _redact_line(None, name, line)))


def print_redacted(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print a traceback as Python does at the end of a process, without secrets (`sys.excepthook`)."""
    sys.stderr.write(redact_secrets("".join(traceback.format_exception(kind, error, trace))))


def _redact_line(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The members of a line without secrets."""
    return {name: redact_values(value) for name, value in event.items()}
