"""spaCy without its command line, which is a third of its start-up and serves no story.

``spacy/__init__.py`` imports one name from ``spacy.cli``, and with it typer, weasel, requests and httpx. An empty stand-in
takes that place during the first import and is gone afterwards, so that ``import spacy.cli`` later gives the real one.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, Final

STAND_INS: Final = ("spacy.cli", "spacy.cli.info")


def import_spacy() -> Any:
    """The module `spacy`."""
    if "spacy" not in sys.modules:
        package, info = map(ModuleType, STAND_INS)
        package.__path__ = []
        info.info = None  # type: ignore[attr-defined]
        sys.modules.update(zip(STAND_INS, (package, info), strict=True))
        try:
            import spacy
        finally:
            for name in STAND_INS:
                sys.modules.pop(name, None)
        del spacy.info  # type: ignore[attr-defined]
    import spacy

    return spacy
