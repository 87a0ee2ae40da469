"""The operator's files as parts that a running process reads again (`streams.reload`).

Each part knows which files it is read of, also those that they name: lists of names beside the watch lists, the rules
that targets of webhooks ask for, files of secrets that variables of the environment name.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from config.files import find_file
from config.settings import Settings
from processors.tag.watchlists import list_files, read_lists
from sinks.routes.router import RouteRule
from streams.pollers.feed import Feed
from streams.pollers.feed_list import load_feeds
from streams.reload import ReloadPart
from streams.routing import load_rules
from streams.webhooks.targets import Target, load_targets, secret_files

DIGEST_CHARS: Final = 16  # of a secret's or a list's hash, which only has to differ


def feeds_part(settings: Settings, use: Callable[[Sequence[Feed]], Awaitable[None]]) -> ReloadPart:
    """The list of feeds, by their ids."""
    return ReloadPart(
        "feeds",
        lambda: [find_file(settings.poll.feeds)],
        lambda: load_feeds(settings.poll.feeds),
        lambda feeds: {feed.id: feed for feed in feeds},
        use,
    )


def routes_part(settings: Settings, use: Callable[[Sequence[RouteRule]], Awaitable[None]]) -> ReloadPart:
    """The rules of the routes, by their names."""
    return ReloadPart(
        "routes",
        lambda: _own_files(settings.routes.file),
        lambda: load_rules(settings),
        lambda rules: {rule.name: rule for rule in rules},
        use,
    )


def webhooks_part(settings: Settings, use: Callable[[Sequence[Target]], Awaitable[None]]) -> ReloadPart:
    """The targets of webhooks, by their names; a rule that one asks for must be there."""

    def paths() -> Iterator[Path]:
        yield from _own_files(settings.webhooks.file)
        if settings.webhooks.file:
            yield from _own_files(settings.routes.file)
            yield from secret_files(os.environ)

    return ReloadPart(
        "webhooks",
        paths,
        lambda: load_targets(settings, load_rules(settings)),
        lambda targets: {target.name: target for target in targets},
        use,
    )


def watchlists_part(settings: Settings, use: Callable[[], Awaitable[None]]) -> ReloadPart:
    """The watch lists, by their names."""
    name = settings.tag.watchlists

    def load() -> dict[str, str]:
        return {title: _digest(repr(members)) for title, members in read_lists(name).items()}

    async def put_in_force(_digests: dict[str, str]) -> None:
        await use()

    def paths() -> list[Path]:
        return [*_own_files(name), *(list_files(name) if name else ())]

    return ReloadPart("watchlists", paths, load, lambda digests: digests, put_in_force)


def _own_files(name: str) -> list[Path]:
    return [find_file(name)] if name else []


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_CHARS]
