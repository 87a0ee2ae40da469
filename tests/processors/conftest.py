"""What some tests of pure functions compare is their own time, so nobody else's garbage is collected meanwhile."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _collects_no_garbage() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()
