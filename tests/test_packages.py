"""What is installed is whole: every file of the packages, and the command in an environment of its own.

``make release`` sets ``WIRETEST_RELEASE`` to the folder of what it built, and each is tried on every Python that is here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from setuptools import Distribution

ROOT = Path(__file__).parents[1]
PACKAGES = ("config", "processors", "sinks", "streams", "wiredesk")
VERSIONS = ("3.11", "3.12", "3.13")
NOW = "2026-01-31T12:00:00Z"
BUILT = os.environ.get("WIRETEST_RELEASE")
released = pytest.mark.skipif(not BUILT, reason="make release builds and tries them")


def sources() -> set[str]:
    """Every file of the packages, as they stand in the tree; what Python makes apart."""
    return {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }


def test_a_wheel_has_every_file_of_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    distribution = Distribution({"script_name": "setup.py"})
    distribution.parse_config_files()
    distribution.include_package_data = False  # what pyproject.toml names, and no list of a checkout
    command = distribution.get_command_obj("build_py")
    command.ensure_finalized()
    lib = Path(command.build_lib)
    packed = {Path(path).relative_to(lib).as_posix() for path in command.get_outputs(include_bytecode=0)}
    assert sources() - packed == set(), "name their kind in [tool.setuptools.package-data]"


@released
def test_wheel_and_sdist_have_every_file_and_the_licence() -> None:
    [wheel], [sdist] = (list(Path(str(BUILT)).glob(kind)) for kind in ("*.whl", "*.tar.gz"))
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert sources() <= names
    assert any(name.endswith("/LICENSE") for name in names)
    with tarfile.open(sdist) as archive:
        members = {name.partition("/")[2] for name in archive.getnames()}
    assert sources() | {"LICENSE", "README.md", "pyproject.toml"} <= members


@released
@pytest.mark.timeout(600)
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["*.whl", "*.tar.gz"])
def test_it_runs_in_an_empty_environment(kind: str, version: str, tmp_path: Path) -> None:
    python = shutil.which(f"python{version}")
    if not python or subprocess.run([python, "--version"], capture_output=True, check=False).returncode:
        pytest.skip(f"no Python {version} here")
    [package] = Path(str(BUILT)).resolve().glob(kind)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WIREDESK_")}
    subprocess.run([python, "-m", "venv", tmp_path / "venv"], check=True)
    pip: list[str | Path] = [
        tmp_path / "venv/bin/python",
        "-m",
        "pip",
        "install",
        "-q",
        "--disable-pip-version-check",
    ]
    subprocess.run([*pip, "--require-hashes", "-r", ROOT / "locks/embedded.txt"], check=True)
    subprocess.run([*pip, "--no-deps", package], check=True)
    dispatch = (ROOT / "config/samples/01-efe-ferry.txt").read_bytes()
    (tmp_path / "dispatch.txt").write_bytes(dispatch)
    done = subprocess.run(
        [tmp_path / "venv/bin/wiredesk", "process", "--now", NOW, "dispatch.txt"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    here = subprocess.run(
        [Path(sys.executable).with_name("wiredesk"), "process", "--now", NOW, "dispatch.txt"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        check=True,
    )
    assert _without_clock(done.stdout) == _without_clock(here.stdout)


def _without_clock(event: bytes) -> str:
    import json

    decoded = json.loads(event)
    del decoded["provenance"]
    return json.dumps(decoded)
