"""A fleet for hours: every role a process that a supervisor starts again, and Prometheus with the shipped alerts beside it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import urllib.request
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from tests.servers.process import ServerProcess, free_ports

ROOT: Final = Path(__file__).parents[2]
COMMAND: Final = (sys.executable, "-c", "from streams.cli import main; main()")
ROLES: Final = {
    "poller": ("poll",),
    "worker": ("worker",),
    "worker-2": ("worker",),
    "sink": ("sink", "elasticsearch"),
    "routes": ("sink", "routes"),
    "desk": ("desk",),
}
SCRAPE_S: Final = 5  # a third of the shipped interval, so that an alert's own time counts
START_S: Final = 120.0
RESTART_S: Final = 1.0  # between a process's end and its next life, as a supervisor has it


class Role:
    """A process of a role: whoever kills it finds it started again, unless it is held down."""

    def __init__(self, name: str, folder: Path, environment: Mapping[str, str]) -> None:
        """`name` is of `ROLES`."""
        self.name, self.port = name, free_ports(1)[0]
        self._log = folder / f"{name}.log"
        self._environment = {
            **environment,
            "WIREDESK_HEALTH_PORT": str(self.port),
            "WIREDESK_DESK_PORT": str(self.port),
            "WIREDESK_KAFKA_WORKER": name,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._is_down, self._ends = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._supervise, daemon=True)
        self._thread.start()

    def kill(self) -> None:
        """SIGKILL."""
        if self._process:
            self._process.kill()

    def hold_down(self) -> None:
        """SIGKILL, and no new life until `let_up`."""
        self._is_down.set()
        self.kill()

    def let_up(self) -> None:
        """Let the supervisor start it again."""
        self._is_down.clear()

    def close(self) -> None:
        """SIGTERM, for good."""
        self._ends.set()
        if self._process:
            self._process.terminate()
        self._thread.join(60)

    def loud_lines(self) -> Counter[str]:
        """What its log has above warnings: the texts of the lines, and how often each stands there."""
        found: Counter[str] = Counter()
        for line in self._log.read_text("utf-8", "replace").splitlines():
            try:
                told = json.loads(line)
            except ValueError:
                found[f"no JSON: {line[:120]}"] += 1
                continue
            if told.get("level") in {"error", "critical"}:
                found[str(told.get("event"))] += 1
        return found

    def _supervise(self) -> None:
        while not self._ends.is_set():
            if self._is_down.is_set():
                self._ends.wait(0.2)
                continue
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(
                    [*COMMAND, *ROLES[self.name]],
                    cwd=ROOT,
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
            self._process.wait()
            self._ends.wait(RESTART_S)


class Prometheus:
    """Prometheus with the shipped rules, over the roles' own ports."""

    def __init__(self, folder: Path, roles: Mapping[str, Role]) -> None:
        """Write its settings and start it.

        Raises:
            FileNotFoundError: there is no Prometheus here (Debian: prometheus).
        """
        program = shutil.which("prometheus")
        if not program:
            raise FileNotFoundError("prometheus is not here: install it (Debian: prometheus)")
        self._port = free_ports(1)[0]
        path = folder / "prometheus.yml"
        path.write_text(yaml.safe_dump(self._settings(roles)), "utf-8")
        command = [program, f"--config.file={path}", f"--storage.tsdb.path={folder / 'prometheus'}"]
        command.append(f"--web.listen-address=127.0.0.1:{self._port}")
        self._process = ServerProcess(command, folder / "prometheus.log")
        self._process.wait_until(lambda: self._get("/-/ready") is not None, START_S)

    def firing(self) -> set[tuple[str, str]]:
        """The alerts that fire now: name, and the role or check that they name."""
        answer = json.loads(self._get("/api/v1/alerts") or '{"data": {"alerts": []}}')
        return {
            (alert["labels"]["alertname"], alert["labels"].get("check") or alert["labels"].get("role", ""))
            for alert in answer["data"]["alerts"]
            if alert["state"] == "firing"
        }

    def close(self) -> None:
        """End it."""
        self._process.stop()

    def _settings(self, roles: Mapping[str, Role]) -> dict[str, Any]:
        rules = [str(ROOT / "config" / "prometheus" / name) for name in ("alerts.yml", "fleet.yml")]
        targets = [
            {"targets": [f"127.0.0.1:{role.port}"], "labels": {"role": name.partition("-")[0]}}
            for name, role in roles.items()
        ]
        return {
            "global": {"scrape_interval": f"{SCRAPE_S}s", "evaluation_interval": f"{SCRAPE_S}s"},
            "rule_files": rules,
            "scrape_configs": [{"job_name": "wiredesk", "static_configs": targets}],
        }

    def _get(self, path: str) -> str | None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}{path}", timeout=10) as answer:
                text: str = answer.read().decode()
                return text
        except OSError:
            return None


def fleet_environment(servers: str, url: str, drop: Path) -> dict[str, str]:
    """The variables of every role, and nothing of the caller's settings."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("WIREDESK_")}
    return own | {
        "PYTHONPATH": str(ROOT),
        "WIREDESK_KAFKA_SERVERS": servers,
        "WIREDESK_KAFKA_PARTITIONS": "4",
        "WIREDESK_KAFKA_WORKERS": "1",
        "WIREDESK_ELASTICSEARCH_URL": url,
        "WIREDESK_ELASTICSEARCH_INDEX": "soak",
        "WIREDESK_POLL_DROP_FOLDER": str(drop),
        "WIREDESK_POLL_DROP_INTERVAL_S": "0.5",
        "WIREDESK_LOG_FORMAT": "json",
    }
