"""A real Elasticsearch: one node, without security or with the fleet's users, on free ports of loopback, its data in a temporary folder.

It is the distribution that Elastic publishes for integration tests: the server with few modules. It has no ``GET /``,
no language analyzers, no ILM, no painless, no ingest processors; templates, aliases, bulk, external versions, search,
highlighting and aggregations are there.
"""

from __future__ import annotations

import base64
import json
import os
import pwd
import shutil
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tests.servers import maven
from tests.servers.process import ServerProcess, free_ports

VERSION: Final = "8.19.21"
ZIP: Final = f"org.elasticsearch.distribution.integ-test-zip:elasticsearch:{VERSION}:zip"
START_S: Final = 180.0
FLEET_FILES: Final = Path(__file__).parents[2] / "config" / "elasticsearch"


class ElasticsearchServer:
    """A node that can be stopped, killed and started again on the same ports and data."""

    def __init__(
        self, folder: Path, secrets: Path | None = None, properties: Mapping[str, str] | None = None
    ) -> None:
        """Unpack the server below `folder`, which a user other than root must be able to reach.

        With `secrets`, a folder of passwords, it is started by the fleet's own script, with its users and roles.
        """
        self._secrets = secrets
        self._port, transport = free_ports(2)
        self._java = maven.java()
        with zipfile.ZipFile(maven.artifact(f"elasticsearch-{VERSION}.zip", ZIP)) as packed:
            packed.extractall(folder)
        self._home = folder / f"elasticsearch-{VERSION}"
        for program in (self._home / "bin").iterdir():
            program.chmod(0o755)
        _configure(self._home, self._port, transport, is_secure=secrets is not None)
        with (self._home / "config" / "elasticsearch.yml").open("a", encoding="utf-8") as config:
            config.writelines(f"{name}: {value}\n" for name, value in (properties or {}).items())
        for name in ("start.sh", "roles.yml"):
            shutil.copy(FLEET_FILES / name, folder)
        self._user = _unprivileged()
        if self._user is not None:
            _give(folder, self._user)
        self._process: ServerProcess | None = None
        self.version = "of unknown version"
        self.started_in_s = 0.0

    @property
    def url(self) -> str:
        """Where the node answers."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start, and return when the node answers and has a master."""
        asked = time.monotonic()
        home = {"ES_JAVA_HOME": str(self._java.parents[1]), "HOME": str(self._home)}
        log = self._home.parent / "elasticsearch.log"
        command = [str(self._home / "bin" / "elasticsearch")]
        if self._secrets:
            home |= {"ES_HOME": str(self._home), "WIREDESK_SECRETS": str(self._secrets)}
            home["WIREDESK_ELASTICSEARCH_FILES"] = str(self._home.parent)
            command = ["bash", str(self._home.parent / "start.sh"), *command]
        self._process = ServerProcess(command, log, environment=home, user=self._user)
        self._process.wait_until(self._is_up, START_S)
        self.started_in_s = time.monotonic() - asked

    def stop(self) -> None:
        """An orderly end: the launcher passes the signal on to the node and waits for it."""
        assert self._process, "start() comes first"
        self._process.stop()

    def change_password(self, user: str, password: str) -> None:
        """Give a user of the fleet another password; the server notices within some seconds."""
        home = {"ES_JAVA_HOME": str(self._java.parents[1]), "HOME": str(self._home)}
        tool = [str(self._home / "bin" / "elasticsearch-users"), "passwd", user, "-p", password]
        process = ServerProcess(tool, self._home.parent / "users.log", environment=home, user=self._user)
        process.wait_until(lambda: process.status is not None, 60)

    def _is_up(self) -> bool:
        try:
            health = self._get("/_cluster/health")
            nodes = self._get("/_nodes")["nodes"]
        except (urllib.error.URLError, OSError, KeyError, ValueError):
            return False
        self.version = next(iter(nodes.values()))["version"]
        return health["status"] in {"green", "yellow"}

    def _get(self, path: str) -> Any:
        request = urllib.request.Request(self.url + path)  # noqa: S310 -- our own server
        if self._secrets:
            login = f"wiredesk-admin:{(self._secrets / 'elasticsearch_admin').read_text().strip()}"
            request.add_header("Authorization", f"Basic {base64.b64encode(login.encode()).decode()}")
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 -- our own server
            return json.load(answer)


def _configure(home: Path, port: int, transport: int, *, is_secure: bool) -> None:
    settings = {
        "cluster.name": "wiredesk-tests",
        "discovery.type": "single-node",
        "network.host": "127.0.0.1",
        "http.port": port,
        "transport.port": transport,
        "xpack.security.enabled": is_secure,
        "xpack.security.http.ssl.enabled": False,
        "xpack.security.enrollment.enabled": False,
        "cluster.routing.allocation.disk.threshold_enabled": False,
        "bootstrap.memory_lock": False,
    }
    lines = "".join(f"{name}: {json.dumps(value)}\n" for name, value in settings.items())
    (home / "config" / "elasticsearch.yml").write_text(lines, "utf-8")
    options = home / "config" / "jvm.options.d"
    options.mkdir(exist_ok=True)
    (options / "tests.options").write_text("-Xms512m\n-Xmx512m\n", "utf-8")


def _unprivileged() -> int | None:
    """Elasticsearch refuses root: then it runs as nobody, else as whoever runs the tests."""
    return pwd.getpwnam("nobody").pw_uid if os.getuid() == 0 else None


def _give(folder: Path, user: int) -> None:
    for each in (folder, *folder.rglob("*")):
        shutil.chown(each, user)
