"""The settings file and the reference page say what the structs say."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.schema import all_settings
from config.settings import Settings
from streams.generate.settings import files


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_generated_files_are_as_make_settings_writes_them(path: Path) -> None:
    assert path.read_text("utf-8") == files()[path], "run `make settings` and commit what it wrote"


def test_every_setting_is_in_both() -> None:
    settings_file, reference = files().values()
    for setting in all_settings(Settings):
        assert f"\n{setting.path[-1]} = " in settings_file
        assert setting.variable in reference
        assert setting.meaning.removesuffix(".") in settings_file
        assert setting.meaning.removesuffix(".") in reference
