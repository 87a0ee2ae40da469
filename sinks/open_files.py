"""The files that this process may have open: sockets count as files, and where none is left everything else fails."""

from __future__ import annotations

import errno
import os
import resource
import sys
import time
from typing import Final

import structlog

# Errors of a process or machine that has no file, buffer or memory left for a socket.
EXHAUSTED_ERRORS: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
WARNING_INTERVAL_S: Final = 60.0  # between two lines: shorter fills the log, longer hides that it goes on
log = structlog.get_logger("wiredesk")


def file_limit() -> int:
    """How many files may be open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


def is_exhausted(error: BaseException | None) -> bool:
    """Whether an error, or what caused it, says that we have no file left: a fault of ours, not of whom we asked."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in EXHAUSTED_ERRORS:
            return True
        inner = getattr(error, "os_error", None)
        error = inner if isinstance(inner, BaseException) else error.__cause__ or error.__context__
    return False


def has_file_left() -> bool:
    """Whether one more file can be opened now: a resolver that found none does not say so."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        return error.errno not in EXHAUSTED_ERRORS
    return True


class ExhaustionWarning:
    """Says that no file is left: once, and again only after a while."""

    def __init__(self) -> None:
        """Nothing was said yet."""
        self._said_at: float | None = None

    def warn(self, where: str) -> None:
        """Write a line where none was written lately."""
        now = time.monotonic()
        if self._said_at is None or now - self._said_at >= WARNING_INTERVAL_S:
            self._said_at = now
            log.error(
                "no file is left to open; raise the limit of open files (LimitNOFILE, ulimit -n)",
                where=where,
                limit=file_limit(),
            )


FILES_WARNING: Final = ExhaustionWarning()
