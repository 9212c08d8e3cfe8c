"""Who each of several ingest processes is."""

import socket
from pathlib import Path

import pytest

from ingest.settings import IngestSettings
from ingest.spool import ABOUT
from lectern.complaint import Complaint
from lectern.free_ports import require_own_ports
from lectern.ingest_processes import left_behind, own_ports, settings_of
from lectern.settings import load


def test_each_has_a_name_a_spool_and_a_port_of_its_own_and_all_share_two() -> None:
    base = IngestSettings(spool_folder=Path("/spool"), node="n", control_url="http://ingest:8090", http_port=8090)
    first, second = settings_of(base, 1, 2), settings_of(base, 2, 2)
    assert (first.node, first.spool_folder) == ("n", Path("/spool")), "as it was when it was alone"
    assert (second.node, second.spool_folder) == ("n-2", Path("/spool/process-2"))
    assert (first.control_url, second.control_url) == ("http://ingest:8091", "http://ingest:8092")
    assert (first.own_http_port, second.own_http_port) == (8091, 8092)
    assert (first.rtmp_port, first.http_port) == (second.rtmp_port, second.http_port) == (1935, 8090)
    assert first.shared_ports
    assert second.shared_ports
    assert first.verified_keep_bytes + second.verified_keep_bytes == base.verified_keep_bytes


@pytest.mark.parametrize("url", ["http://[::1]:8090", "http://127.0.0.1:8090"])
def test_the_address_keeps_its_host(url: str) -> None:
    assert settings_of(IngestSettings(control_url=url), 3, 3).control_url == url.replace("8090", "8093")


def test_a_spool_that_nobody_would_find_any_more_has_its_process_run(tmp_path: Path) -> None:
    for name in ("process-2", "process-3", "process-x"):
        (tmp_path / name / "recording" / "take").mkdir(parents=True)
    (tmp_path / "process-3" / "recording" / "take" / ABOUT).write_text("{}")
    (tmp_path / "process-x" / "recording" / "take" / ABOUT).write_text("{}")
    assert left_behind(tmp_path, 1) == [3]
    assert left_behind(tmp_path, 3) == []
    assert left_behind(tmp_path / "none", 1) == []
    alone = IngestSettings(spool_folder=tmp_path / "none", http_port=8090)
    assert own_ports(alone, 1) == []
    assert own_ports(alone, 2) == [8091, 8092]
    assert own_ports(IngestSettings(spool_folder=tmp_path, http_port=8090), 1) == [8091, 8093]


def test_a_port_of_their_own_that_is_taken_is_told_before_they_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = load({"LECTERN_INGEST_HTTP_PORT": str(port - 2), "LECTERN_INGEST_SPOOL_FOLDER": str(tmp_path)})
        require_own_ports(told, 1)
        with pytest.raises(
            Complaint, match=f"port ({port - 1}|{port}) is taken by .*LECTERN_INGEST_HTTP_PORT, which they follow"
        ):
            require_own_ports(told, 2)
