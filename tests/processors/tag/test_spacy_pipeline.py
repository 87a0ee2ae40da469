"""The lean import of spaCy changes nothing but the time it takes."""

from __future__ import annotations

import subprocess
import sys

CHECK = """
import sys
from processors.tag.spacy_pipeline import import_spacy
spacy = import_spacy()
assert "typer" not in sys.modules and "weasel" not in sys.modules
assert [token.text for token in spacy.blank("en")("Vigo sails.")] == ["Vigo", "sails", "."]
from spacy.cli import download, info
assert callable(download) and info.__module__.startswith("spacy.cli")
print("whole")
"""


def test_spacy_works_and_its_command_line_is_there_when_asked_for() -> None:
    done = subprocess.run([sys.executable, "-c", CHECK], capture_output=True, check=False)
    assert (done.stdout, done.stderr) == (b"whole\n", b"")
