"""Writes the JSON Schemas of the model to ``config/schemas/``: ``make schemas``."""

from __future__ import annotations

from typing import Final

from config.settings import HERE
from processors.schema import SCHEMAS, rendered

FOLDER: Final = HERE / "schemas"


def main() -> None:
    """Write every schema over the old one."""
    for name, kind in SCHEMAS.items():
        (FOLDER / name).write_bytes(rendered(kind))


if __name__ == "__main__":
    main()
