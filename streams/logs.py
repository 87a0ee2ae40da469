"""Logging: structlog events on standard error, as text for people or JSON for collectors."""

from __future__ import annotations

import logging
import sys

import structlog

from config.errors import Misconfigured
from config.settings import LogSettings


def configure(settings: LogSettings) -> None:
    """Send structlog, and the standard library's loggers, to standard error.

    Raises:
        Misconfigured: the level or format has no such value.
    """
    level = logging.getLevelNamesMapping().get(settings.level.upper())
    if level is None:
        raise Misconfigured(f"log.level is {settings.level!r}; use debug, info, warning or error")
    if settings.format not in {"text", "json"}:
        raise Misconfigured(f"log.format is {settings.format!r}; use text or json")
    renderer: structlog.typing.Processor = structlog.processors.JSONRenderer()
    if settings.format == "text":
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(
        level=max(level, logging.WARNING), stream=sys.stderr, format="%(levelname)s %(name)s %(message)s"
    )
