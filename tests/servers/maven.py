"""Servers for the tests come from Maven Central, once, into a cache outside the work tree."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

POM: Final = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>org.wiredesk.tests</groupId><artifactId>server</artifactId><version>1</version>
  <packaging>pom</packaging>
  <dependencies>{dependencies}</dependencies>
</project>
"""
DEPENDENCY: Final = (
    "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"
)
FETCH_S: Final = 600


class Missing(Exception):
    """What this machine lacks to start a server; the message is the line that a skipped test shows."""


def jars(name: str, *coordinates: str) -> Path:
    """A folder with the jars of ``group:artifact:version`` coordinates and all that they need."""
    folder = cache() / name
    if not folder.exists():
        with_pom = _scratch(name)
        wanted = "".join(DEPENDENCY.format(*coordinate.split(":")) for coordinate in coordinates)
        (with_pom / "pom.xml").write_text(POM.format(dependencies=wanted), "utf-8")
        _maven("dependency:copy-dependencies", "-DoutputDirectory=libs", cwd=with_pom)
        _keep(with_pom / "libs", folder)
        shutil.rmtree(with_pom)
    return folder


def artifact(name: str, coordinate: str) -> Path:
    """One file: ``group:artifact:version:packaging``."""
    file = cache() / name
    if not file.exists():
        folder = _scratch(name)
        _maven("dependency:get", "-Dtransitive=false", f"-Dartifact={coordinate}", cwd=folder)
        _maven("dependency:copy", f"-Dartifact={coordinate}", "-DoutputDirectory=.", cwd=folder)
        _keep(next(folder.glob(f"*.{coordinate.rpartition(':')[2]}")), file)
        shutil.rmtree(folder)
    return file


def java() -> Path:
    """The ``java`` on the PATH, or that of JAVA_HOME.

    Raises:
        Missing: there is none.
    """
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")
    if not found:
        raise Missing("no Java: install a JDK 17 or newer (Debian: openjdk-17-jdk-headless)")
    return Path(found).resolve()


def cache() -> Path:
    """Where downloads are kept: ``${XDG_CACHE_HOME:-~/.cache}/wiredesk/servers``."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "wiredesk" / "servers"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _scratch(name: str) -> Path:
    folder = cache() / f".{name}-{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def _keep(made: Path, place: Path) -> None:
    """Put what is complete in its place; another session may have been faster."""
    try:
        made.rename(place)
    except OSError:
        if not place.exists():
            raise


def _maven(*arguments: str, cwd: Path) -> None:
    if not (maven := shutil.which("mvn")):
        raise Missing("no Maven: install it (Debian: maven); it fetches the server once")
    ran = subprocess.run(
        [maven, "-q", "-B", *arguments],
        cwd=cwd, capture_output=True, text=True, timeout=FETCH_S, check=False,
    )  # fmt: skip
    if ran.returncode:
        errors = [line for line in ran.stdout.splitlines() if line.startswith("[ERROR]")]
        raise Missing(f"Maven could not fetch the server: {errors[0] if errors else ran.stderr[-300:]}")
