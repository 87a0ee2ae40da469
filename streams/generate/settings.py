"""Writes ``config/wiredesk.toml`` and ``docs/settings.md`` from the structs of `config.settings`. ``make settings``."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct

from config.files import CONFIG_FOLDER
from config.reader import OTHER_VARIABLES
from config.schema import LANGUAGES, Setting, nested_sections, section_settings, to_toml
from config.settings import Settings

ROOT: Final = CONFIG_FOLDER.parent
FILE_HEAD: Final = """\
# wiredesk: every setting with its default. Copy what you change into a file of your own and name it with --config.
# A variable WIREDESK_<SECTION>_<NAME> beats the file; WIREDESK_<SECTION>_<NAME>_FILE names a file with the value (secrets).
# docs/settings.md says what each may be. `make settings` writes this file.
"""
PAGE_HEAD: Final = """\
# Settings
Every command takes `--config FILE`, a TOML file of sections; what it does not name has its default. A variable of the environment beats the file, and `<VARIABLE>_FILE` names a file that holds the value, for secrets. Lists may be written with commas in a variable: `WIREDESK_POLL_ALLOWED_ADDRESSES=10.0.0.0/8,127.0.0.1:8000`. An unknown section, name or `WIREDESK_` variable, or a value out of range, ends the command with status 2 and one line.

**Files of yours** (feeds, routes, watch lists, webhooks, certificates): an absolute path is what it says; a relative one that a settings file names lies beside that settings file, else in the working folder, else it is the bundled file of that name. Paths of the command line and of variables begin at the working folder. The log says at the start which file was read. Folders that are written (`embedded.data`, `poll.drop_folder`) and `sinks.events.file` begin at the working folder.

`make settings` writes this page and `config/wiredesk.toml` from `config/settings.py`.
"""


def files() -> dict[Path, str]:
    """Both files, as they must be."""
    return {
        ROOT / "config" / "wiredesk.toml": settings_file(),
        ROOT / "docs" / "settings.md": reference_page(),
    }


def settings_file() -> str:
    """The settings file with every default."""
    return FILE_HEAD + "".join(_section_in_toml(name, kind) for name, kind in all_sections())


def reference_page() -> str:
    """The reference page: a table for each section."""
    tables = "".join(_section_in_words(name, kind) for name, kind in all_sections())
    others = "".join(f"- `{name}`: {meaning}\n" for name, meaning in OTHER_VARIABLES.items())
    languages = textwrap.fill(" ".join(LANGUAGES), 10_000)
    return (
        f"{PAGE_HEAD}{tables}\n## Languages\n"
        f"`normalise.languages` may have these BCP 47 tags, which the detector knows: {languages}.\n"
        f"\n## Variables that are no settings\n{others}"
        "- `WIREDESK_WEBHOOK_<NAME>_SECRET`, `…_SECRET_FILE`: the secret of a webhook's target (docs/consuming.md)\n"
    )


def all_sections(
    kind: type[Struct] = Settings, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], type[Struct]]]:
    """Every section that has settings, by its path."""
    for name, section in nested_sections(kind).items():
        if section_settings(section, (*path, name)):
            yield (*path, name), section
        yield from all_sections(section, (*path, name))


def main() -> None:
    """Write both files over the old ones."""
    for path, text in files().items():
        path.write_text(text, "utf-8")


def _section_in_toml(path: tuple[str, ...], kind: type[Struct]) -> str:
    lines = [f"\n# {_summary(kind)}", f"[{'.'.join(path)}]"]
    lines += [
        f"{setting.path[-1]} = {to_toml(setting.default)}  # {_sentence(setting)}"
        for setting in section_settings(kind, path).values()
    ]
    return "\n".join(lines) + "\n"


def _section_in_words(path: tuple[str, ...], kind: type[Struct]) -> str:
    lines = [
        f"\n## [{'.'.join(path)}]",
        _summary(kind),
        "",
        "| setting | allowed | default | meaning |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| `{setting.path[-1]}`<br>`{setting.variable}` | {_allowed(setting)} | `{to_toml(setting.default)}` | {_sentence(setting)} |"
        for setting in section_settings(kind, path).values()
    ]
    return "\n".join(lines) + "\n"


def _allowed(setting: Setting) -> str:
    if setting.extra.get("choices"):
        return "a list of [languages](#languages)"
    words = setting.allowed().replace("|", "\\|")
    return f"{words}; a secret" if setting.is_secret else f"{words}; a file" if setting.is_file else words


def _sentence(setting: Setting) -> str:
    """The meaning, without its last full stop."""
    return setting.meaning.removesuffix(".")


def _summary(kind: type[Struct]) -> str:
    return (kind.__doc__ or "").strip().splitlines()[0]


if __name__ == "__main__":
    main()
