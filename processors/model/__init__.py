"""The model: the event of the contract, its story, and their JSON. Here stands what its classes share.

They are immutable structs whose JSON is written and read in C. A member that has its default is absent from JSON,
unless its default is made by `always_written`. `msgspec.structs.replace` gives an instance with other members.
"""

from __future__ import annotations

from typing import TypeVar

from msgspec import Struct, field

T = TypeVar("T")


class Model(Struct, frozen=True, omit_defaults=True, rename="camel", gc=False):
    """A class of the model: names in camel case in JSON. It holds no cycles, so the collector need not look."""


def always_written(default: T) -> T:
    """A default that JSON carries: msgspec leaves out values of `default`, and never those of a factory."""
    member: T = field(default_factory=lambda: default)
    return member
