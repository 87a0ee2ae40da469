"""Which processors sort slowly with AVX-512, and that numpy hears it without complaint."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from streams import startup


def told(vendor: str, family: int, *flags: str) -> str:
    one = f"vendor_id\t: {vendor}\ncpu family\t: {family}\nflags\t\t: fpu avx2 {' '.join(flags)}\n"
    return f"processor\t: 0\n{one}\nprocessor\t: 1\n{one}\n"


ZEN_4 = told("AuthenticAMD", 25, "avx512f", "avx512_vbmi2")


@pytest.mark.parametrize(
    ("cpuinfo", "slow"),
    [
        (ZEN_4, True),
        (told("AuthenticAMD", 25), False),  # Zen 3
        (told("AuthenticAMD", 26, "avx512f", "avx512_vbmi2"), False),  # Zen 5
        (told("GenuineIntel", 6, "avx512f", "avx512_vbmi2"), False),
        ("Features\t: fp asimd sha2\nCPU part\t: 0xd40\n", False),  # ARM
        ("", False),
    ],
)
def test_only_zen_4_sorts_slowly(cpuinfo: str, slow: bool) -> None:
    assert startup.sorts_slowly(cpuinfo) == slow


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {startup.NUMPY_VARIABLE: "X86_V4 AVX512_ICL"}),
        ({startup.NUMPY_VARIABLE: ""}, {startup.NUMPY_VARIABLE: ""}),
    ],
    ids=["unset", "the operator's own"],
)
def test_what_the_operator_told_numpy_stands(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, before: dict[str, str], after: dict[str, str]
) -> None:
    (tmp_path / "cpuinfo").write_text(ZEN_4)
    monkeypatch.setattr(startup, "_CPUS", tmp_path / "cpuinfo")
    environment = dict(before)
    startup.configure_numpy(environment)
    assert environment == after


def test_a_machine_that_tells_nothing_of_its_processors_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(startup, "_CPUS", tmp_path / "missing")
    environment: dict[str, str] = {}
    startup.configure_numpy(environment)
    assert not environment


def test_the_command_tells_numpy_before_it_is_loaded_and_numpy_takes_it() -> None:
    environment = {name: value for name, value in os.environ.items() if name != startup.NUMPY_VARIABLE}
    code = """
import os, sys
import streams.cli
assert "numpy" not in sys.modules
from streams.startup import configure_numpy
configure_numpy(os.environ)
import numpy
print(numpy.sort(numpy.array([3, 1, 2])).tolist())
"""
    done = subprocess.run(
        [sys.executable, "-W", "error::ImportWarning", "-c", code],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.stdout.strip(), done.stderr) == ("[1, 2, 3]", "")
