"""The operator's own list of feeds, as a file that the desk and commands change."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from config import Misconfigured
from config.files import find_file
from streams.pollers.feed import Feed, make_feed_id
from streams.pollers.feed_list import format_feeds, load_feeds


class FeedFile:
    """A TOML list. Where the settings lead to the bundled list, a change makes an own one of it in the working folder."""

    def __init__(self, name: str) -> None:
        """`name` is that of the setting ``poll.feeds``.

        Raises:
            Misconfigured: it names an OPML file, which is imported and not changed.
        """
        found = find_file(name)
        if found.suffix.lower() != ".toml":
            raise Misconfigured(
                f"{name}: only TOML lists can be changed; import it with `wiredesk feeds import {name}`"
            )
        self.path = found if Path(name).is_absolute() or Path(name).exists() else Path(name).absolute()
        self._bundled = found if found != self.path else None

    def load(self) -> tuple[Feed, ...]:
        """The feeds of the list as it stands now; of the bundled one before there is an own one.

        Raises:
            Misconfigured: it can't be read, or something in it is wrong.
        """
        if self.path.exists():
            return load_feeds(self.path)
        return load_feeds(self._bundled) if self._bundled else ()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One who changes it at a time, of all processes on this machine.

        Raises:
            Misconfigured: its folder can't be written.
        """
        try:
            number = os.open(self.path.with_name(f".{self.path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise self._explain(error) from error
        try:
            fcntl.flock(number, fcntl.LOCK_EX)
            yield
        finally:
            os.close(number)

    def replace(self, feeds: Sequence[Feed]) -> None:
        """Replace the list in one step; who may read it may do so still.

        Raises:
            Misconfigured: it can't be written.
        """
        new = self.path.with_name(f"{self.path.name}.tmp")
        try:
            new.write_text(format_feeds(feeds), "utf-8")
            if self.path.exists():
                new.chmod(self.path.stat().st_mode & 0o777)
            new.replace(self.path)
        except OSError as error:
            raise self._explain(error) from error

    def _explain(self, error: OSError) -> Misconfigured:
        return Misconfigured(f"{self.path}: {error.strerror}; name a list that can be written with --feeds")


def merge_feeds(listed: Sequence[Feed], others: Sequence[Feed]) -> tuple[list[Feed], list[Feed]]:
    """A list with the feeds of another whose addresses it lacks, under ids of their own, and those that are new."""
    urls, ids = {feed.url for feed in listed}, {feed.id for feed in listed}
    added = []
    for feed in others:
        if feed.url not in urls:
            added.append(replace(feed, id=make_feed_id(feed.id, feed.url, ids)))
            ids.add(added[-1].id)
    return [*listed, *added], added
