"""Where a file of the operator lies: feeds, routes, watch lists, webhooks, certificates. One rule for all of them.

1. An absolute path is what it says.
2. A relative path that a settings file names lies beside that settings file.
3. Else it lies in the working folder. So do paths of the command line and of the environment.
4. Else it is the bundled file of that name in ``config/``.

`beside` carries out the second part as the settings are loaded, `find_file` the rest as the file is opened.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

from config import Misconfigured

CONFIG_FOLDER: Final = Path(__file__).resolve().parent


def resolve_beside(name: str, settings_file: Path) -> str:
    """The path of a file that a settings file names.

    The name itself where it is absolute, or where nothing lies beside the settings file but something does in the
    working folder or in ``config/``. A file that is nowhere is looked for beside the settings file.
    """
    if not name or Path(name).is_absolute():
        return name
    own = settings_file.absolute().parent / name
    elsewhere = Path(name).exists() or (CONFIG_FOLDER / name).exists()
    return name if elsewhere and not own.exists() else str(own)


def find_file(name: str | Path) -> Path:
    """The path of a file of the operator: in the working folder, else bundled. It need not be there."""
    path = Path(name)
    if path.is_absolute() or path.exists():
        return path.absolute()
    return CONFIG_FOLDER / path if (CONFIG_FOLDER / path).is_file() else path.absolute()


def read_toml(path: Path, advice: str) -> tuple[str, dict[str, Any]]:
    """The text of a TOML file of the operator, and what it says.

    Raises:
        Misconfigured: it can't be read (`advice` then says how to name another), or is no TOML.
    """
    try:
        text = path.read_text("utf-8")
        return text, tomllib.loads(text)
    except OSError as error:
        raise Misconfigured(f"{path}: {error.strerror}; {advice}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{path}: not TOML: {error}") from error


def read_tables(path: Path, name: str, advice: str) -> tuple[str, dict[str, Any]]:
    """The text of a TOML file that holds nothing but ``[<name>.NAME]`` tables, and those by their names.

    Raises:
        Misconfigured: as `read_toml`, or something else stands in it.
    """
    text, document = read_toml(path, advice)
    strays = sorted(set(document) - {name})
    tables = document.get(name, {})
    if strays or not isinstance(tables, dict):
        raise Misconfigured(f"{path}: {', '.join(strays) or name}: write each as [{name}.NAME]")
    return text, tables
