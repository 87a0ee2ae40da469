"""What of the settings can't lead to a client is one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import Misconfigured
from config.settings import Elasticsearch
from sinks.elasticsearch.client import connect


def test_a_file_of_authorities_that_is_missing_is_one_line(tmp_path: Path) -> None:
    settings = Elasticsearch(url="https://index.example:9200", ca_file=str(tmp_path / "none.pem"))
    with pytest.raises(
        Misconfigured, match=r"^elasticsearch\.ca_file: .*none\.pem: No such file or directory$"
    ):
        connect(settings)


def test_a_file_that_holds_no_certificates_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate", "utf-8")
    settings = Elasticsearch(url="https://index.example:9200", ca_file=str(tmp_path / "ca.pem"))
    with pytest.raises(
        Misconfigured, match=r"^elasticsearch\.ca_file: .*ca\.pem: no certificates \(PEM\) in it$"
    ):
        connect(settings)
