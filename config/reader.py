"""Reads the values of settings from a TOML file and the environment into a struct; what can't be followed is refused.

Each refusal is one line: the file or variable, the key, the value and what is allowed.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import msgspec
from msgspec import Struct

from config import Misconfigured, raise_fault
from config.files import read_toml, resolve_beside
from config.schema import PREFIX, Setting, all_settings, nested_sections, section_settings

Root = TypeVar("Root", bound=Struct)

# Variables that begin like settings and are none.
OTHER_VARIABLES: Final = {
    "WIREDESK_PROBE": "where a container's health check asks (Dockerfile)",
    "WIREDESK_RESTARTS": "counts restarts in quick succession (streams/kafka/service.py)",
    "WIREDESK_BASE": "the base of the image (docker-compose.yml)",
    "WIREDESK_VERSION": "the tag of the image (docker-compose.yml)",
}
_WEBHOOK_SECRET: Final = re.compile(r"WIREDESK_WEBHOOK_[A-Z0-9_]+_SECRET(_FILE)?")


class SettingsReader(Generic[Root]):
    """Gathers values by their paths, the later over the earlier, and remembers where each was written."""

    def __init__(self, kind: type[Root], on_fault: Callable[[Misconfigured], None] = raise_fault) -> None:
        """`kind` is the struct of all sections; `on_fault` gets each fault, by default raised."""
        self._on_fault = on_fault
        self._kind = kind
        self._values: dict[tuple[str, ...], Any] = {}
        self._written_in: dict[str, str] = {}

    def add_file(self, path: Path) -> None:
        """Add a settings file.

        Raises:
            Misconfigured: it can't be read, or says what can't be followed.
        """
        _, table = read_toml(path, "name a settings file with --config")
        self._add_table(self._kind, table, path, ())

    def add_environment(self, environment: Mapping[str, str]) -> None:
        """Add what variables say.

        Raises:
            Misconfigured: one has no setting, or a value that can't be followed.
        """
        variables = {setting.variable: setting for setting in all_settings(self._kind)}
        for name in environment:
            if name.startswith(PREFIX) and not _is_known(name, variables):
                self._on_fault(
                    Misconfigured(f"{name}: no setting has this variable; {_variable_hint(name, variables)}")
                )
        for variable, setting in variables.items():
            if (text := environment.get(variable)) is not None:
                self._add(setting, setting.parse(text), variable)
            elif path := environment.get(f"{variable}_FILE"):
                self._add_secret(setting, variable, path)

    def _add_secret(self, setting: Setting, variable: str, path: str) -> None:
        try:
            text = _read_secret(variable, path)
        except Misconfigured as error:
            self._on_fault(error)
        else:
            self._add(setting, setting.parse(text), f"{variable}_FILE: {path}")

    def origin_of(self, key: str) -> str | None:
        """The file or variable that says a setting; None where it has its default."""
        return self._written_in.get(key)

    def written_in(self, *keys: str) -> str:
        """The file or variable that says one of these settings."""
        return next(self._written_in[key] for key in keys if key in self._written_in)

    def build(self) -> Root:
        """All of it over the defaults."""
        settings = self._kind()
        for path, value in self._values.items():
            settings = replace_value(settings, path, value)
        return settings

    def _add_table(
        self, kind: type[Struct], table: Mapping[str, Any], path: Path, section: tuple[str, ...]
    ) -> None:
        for name, value in table.items():
            where = (*section, name)
            if name in nested_sections(kind):
                if not isinstance(value, Mapping):
                    key = ".".join(where)
                    self._on_fault(
                        Misconfigured(f"{path}: {key} is a section; write [{key}] above its names")
                    )
                    continue
                self._add_table(nested_sections(kind)[name], value, path, where)
            elif setting := section_settings(kind, section).get(name):
                self._add(setting, value, str(path))
                if setting.is_file and where in self._values:
                    self._values[where] = resolve_beside(self._values[where], path)
            else:
                names = [*section_settings(kind, section), *nested_sections(kind)]
                self._on_fault(
                    Misconfigured(f"{path}: unknown setting {'.'.join(where)!r}; {_hint(name, names)}")
                )

    def _add(self, setting: Setting, value: Any, where: str) -> None:
        try:
            self._values[setting.path] = convert_value(setting, value, where)
        except Misconfigured as error:
            self._on_fault(error)
        else:
            self._written_in[setting.key] = where


def convert_value(setting: Setting, value: Any, where: str) -> Any:
    """The value as the struct holds it; `where` is the file or variable that says it.

    Raises:
        Misconfigured: it has another type, or is out of range.
    """
    try:
        return setting.convert(value)
    except ValueError:
        raise Misconfigured(f"{where}: {setting.refusal(value)}") from None


def read_secret_file(key: str, environment: Mapping[str, str]) -> str | None:
    """What the file of a secret says now, ``<VARIABLE>_FILE``; None where no such file gives the setting.

    Raises:
        Misconfigured: the file can't be read.
    """
    variable = _variable_of(key)
    path = environment.get(f"{variable}_FILE") if variable not in environment else None
    return _read_secret(variable, path) if path else None


def replace_value(settings: Any, path: tuple[str, ...], value: Any) -> Any:
    """The struct with the value at the end of a path of names."""
    name, *rest = path
    inner = replace_value(getattr(settings, name), tuple(rest), value) if rest else value
    return msgspec.structs.replace(settings, **{name: inner})


def _variable_of(key: str) -> str:
    return PREFIX + key.upper().replace(".", "_")


def _read_secret(variable: str, path: str) -> str:
    try:
        return Path(path).read_text("utf-8").strip()
    except OSError as error:
        raise Misconfigured(f"{variable}_FILE: {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Misconfigured(f"{variable}_FILE: {path}: not UTF-8 text") from error


def _is_known(name: str, variables: Mapping[str, Setting]) -> bool:
    return (
        name in variables
        or name.removesuffix("_FILE") in variables
        or name in OTHER_VARIABLES
        or bool(_WEBHOOK_SECRET.fullmatch(name))
    )


def _hint(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, names, 1)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names)}"


def _variable_hint(name: str, variables: Iterable[str]) -> str:
    """A hint by what follows the prefix, which all variables share."""
    ends = [variable.removeprefix(PREFIX) for variable in variables]
    near = difflib.get_close_matches(name.removeprefix(PREFIX), ends, 1)
    return f"did you mean '{PREFIX}{near[0]}'?" if near else "docs/settings.md lists them"
