"""A rule that fails costs its own result, not the story.

Segment and tag make of each story a dozen things that do not need each other. A `RuleGuard` runs one after the other: where
our code fails on one (never where memory or the world does), the story goes on with what stands in for it, and the
name of the rule stands in the step's evidence, as `failed_find_dates`. `streams.health` counts and logs them.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ParamSpec, TypeVar

from processors.errors import WiredeskError
from processors.model.event import Feature

K = ParamSpec("K")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FailedRule:
    """A rule that failed on a story, and how: the exception, and the line that raised it."""

    rule: str
    reason: str


@dataclass(slots=True)
class RuleGuard:
    """Runs the rules of one story."""

    failed: list[FailedRule] = field(default_factory=list)

    def run(self, rule: Callable[K, T], otherwise: T, *args: K.args, **kwargs: K.kwargs) -> T:
        """What the rule makes, or `otherwise` where it fails.

        Raises:
            WiredeskError: raised on purpose.
            MemoryError: no rule's fault.
        """
        try:
            return rule(*args, **kwargs)
        except (WiredeskError, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001 -- whatever our code raises is our fault
            self.failed.append(FailedRule(_rule_name(rule), _reason(error)))
            return otherwise

    def evidence(self) -> tuple[Feature, ...]:
        """The rules that failed, once each, in order."""
        return tuple(
            Feature(f"failed_{name}", 1.0) for name in dict.fromkeys(each.rule for each in self.failed)
        )


def _rule_name(rule: Callable[..., object]) -> str:
    return getattr(rule, "__qualname__", type(rule).__name__).lstrip("_")


def _reason(error: Exception) -> str:
    """The exception without its message, which may hold the story's text, and where it was raised."""
    *_, last = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno}"
