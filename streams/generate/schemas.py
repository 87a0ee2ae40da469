"""Writes the contract to ``config/schemas/``: JSON Schemas, example events, the AsyncAPI document. ``make schemas``."""

from __future__ import annotations

from typing import Final

import orjson

from config.files import CONFIG_FOLDER
from config.settings import Settings
from processors.model.codec import to_builtins
from processors.model.schema import render_schemas
from streams.generate.asyncapi import document
from streams.generate.examples import RECEIVED_AT, examples
from streams.messages import gap_message

FOLDER: Final = CONFIG_FOLDER / "schemas"


def contract() -> dict[str, bytes]:
    """Every generated file of ``config/schemas/``, by its path there."""
    files = render_schemas()
    files["asyncapi.v1.json"] = _json(document(Settings()))
    files |= {f"examples/{name}.json": _json(to_builtins(example)) for name, example in examples().items()}
    files["examples/gap.json"] = _json(orjson.loads(gap_message("nda-world", RECEIVED_AT).value))
    return files


def main() -> None:
    """Write every file over the old one."""
    for name, content in contract().items():
        path = FOLDER / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


def _json(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


if __name__ == "__main__":
    main()
