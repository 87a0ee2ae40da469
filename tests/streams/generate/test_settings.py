"""The settings file and the reference page say what the structs say."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.members import all_members
from config.settings import Settings
from streams.generate.settings import files


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_generated_files_are_as_make_settings_writes_them(path: Path) -> None:
    assert path.read_text("utf-8") == files()[path], "run `make settings` and commit what it wrote"


def test_every_setting_is_in_both() -> None:
    settings_file, reference = files().values()
    for member in all_members(Settings):
        assert f"\n{member.path[-1]} = " in settings_file
        assert member.variable in reference
        assert member.meaning.removesuffix(".") in settings_file
        assert member.meaning.removesuffix(".") in reference
