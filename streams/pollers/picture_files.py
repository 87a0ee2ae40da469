"""Fetching pictures for the desk: within the limits of polls, to allowed addresses only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Final, Self

from msgspec.structs import replace

from config.settings import Settings
from streams.pollers.fetch import Fetcher, Request

PICTURE_TIMEOUT_S: Final = 15.0  # of one picture, redirects included: a reader waits no longer
MAX_REDIRECTS: Final = 3  # of a picture: a store of files sends on once or twice


class PictureFiles:
    """Fetches files (`sinks.desk.ports.PictureFetcher`). Use it as ``async with``."""

    def __init__(self, settings: Settings) -> None:
        """Check the settings.

        Raises:
            Misconfigured: ``poll.allowed_addresses`` holds something else than networks.
        """
        poll = replace(
            settings.poll,
            max_body_bytes=settings.desk.picture_max_bytes,
            max_redirects=min(settings.poll.max_redirects, MAX_REDIRECTS),
            total_timeout_s=min(settings.poll.total_timeout_s, PICTURE_TIMEOUT_S),
        )
        self._fetcher = Fetcher(poll)

    async def __aenter__(self) -> Self:
        await self._fetcher.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._fetcher.__aexit__(kind, error, trace)

    async def fetch(self, url: str) -> bytes | None:
        """The bytes at a URL; None where they can't be had, are too many, or the address is not allowed."""
        try:
            answer = await self._fetcher.get(Request(url), _without_turn)
        except ValueError:  # the publisher has written no address
            return None
        return answer.body if answer.body and not answer.failure else None


@asynccontextmanager
async def _without_turn(_host: str) -> AsyncIterator[None]:
    """Hosts of pictures have no queue: the desk fetches a few at once."""
    yield
