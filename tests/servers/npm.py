"""Packages of npm for the tests, fetched once into the cache of the servers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.servers.maven import Missing, cache


def node() -> str:
    """The ``node`` on the PATH.

    Raises:
        Missing: there is none.
    """
    if not (found := shutil.which("node")):
        raise Missing("no Node: install it (Debian: nodejs)")
    return found


def modules(*packages: str) -> Path:
    """A ``node_modules`` folder with ``name@version`` packages and what they need.

    Raises:
        Missing: there is no npm, or it could not fetch them.
    """
    folder = cache() / ("npm-" + "-".join(packages).replace("/", "-"))
    if (folder / "node_modules").exists():
        return folder / "node_modules"
    if not (npm := shutil.which("npm")):
        raise Missing("no npm: install it (Debian: npm)")
    shutil.rmtree(folder, ignore_errors=True)
    ran = subprocess.run(
        [npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), *packages],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    if ran.returncode or not (folder / "node_modules").exists():
        shutil.rmtree(folder, ignore_errors=True)
        raise Missing(f"npm could not fetch {', '.join(packages)}: {ran.stderr[-300:]}")
    return folder / "node_modules"
