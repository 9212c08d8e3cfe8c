"""The certificate of RTMPS as the doctor sees it, and the word of the process that cannot serve it."""

import subprocess
import sys
from pathlib import Path

import pytest

from lectern.doctor import certificate, ports
from lectern.doctor.finding import Verdict
from tests.kit.certificates import Pair, write_pair
from tests.lectern.doctor.conftest import given

ROOT = Path(__file__).resolve().parents[3]
ADDRESS = "rtmps://lectern.test:1936/live"


def variables(pair: Pair) -> dict[str, str]:
    return {"INGEST_RTMPS_CERTIFICATE_FILE": str(pair.certificate), "INGEST_RTMPS_KEY_FILE": str(pair.key)}


def test_not_used_and_told_to_encoders_all_the_same() -> None:
    assert certificate.rtmps(given()).verdict == Verdict.good
    assert ports.rtmps(given()).found == "not used"
    finding = certificate.rtmps(given(API_RTMPS_PUBLIC_URL=ADDRESS))
    assert (finding.verdict, ADDRESS in finding.found) == (Verdict.bad, True)


@pytest.mark.parametrize(
    ("name", "days", "verdict", "found"),
    [
        ("lectern.test", 60, Verdict.good, "until 20"),
        ("*.test", 60, Verdict.good, "until 20"),
        ("other.test", 60, Verdict.doubtful, "it is not for lectern.test"),
        ("lectern.test", 10.5, Verdict.doubtful, "in 10 days"),
        ("lectern.test", -1, Verdict.bad, "it ended on"),
        ("lectern.test", 120, Verdict.bad, "it holds from"),
    ],
)
def test_name_and_dates(tmp_path: Path, name: str, days: float, verdict: Verdict, found: str) -> None:
    pair = write_pair(tmp_path, name, days)
    finding = certificate.rtmps(given(**variables(pair), API_RTMPS_PUBLIC_URL=ADDRESS))
    assert (finding.verdict, found in finding.found) == (verdict, True), finding
    assert bool(finding.remedy) == (verdict != Verdict.good)


def test_a_key_that_does_not_fit(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    mixed = Pair(write_pair(tmp_path).certificate, write_pair(tmp_path / "other").key)
    finding = certificate.rtmps(given(**variables(mixed)))
    assert (finding.verdict, "does not fit" in finding.found) == (Verdict.bad, True)


def test_the_port_of_rtmps(tmp_path: Path, dead_port: int) -> None:
    finding = ports.rtmps(given(**variables(write_pair(tmp_path)), INGEST_RTMPS_PORT=str(dead_port)))
    assert finding.found == f"{dead_port} is free"


@pytest.mark.parametrize(
    ("given_files", "said"),
    [
        ({"CERTIFICATE": "/nowhere/certificate.pem", "KEY": "/nowhere/key.pem"}, "RTMPS: /nowhere/certificate.pem: No"),
        ({"CERTIFICATE": "/nowhere/certificate.pem"}, "set both or neither"),
    ],
)
def test_the_process_says_it_in_a_line_and_ends_with_2(
    given_files: dict[str, str],
    said: str,
    tmp_path: Path,
) -> None:
    stores = {
        "MASTER_SECRET": bytes(range(32)).hex(),
        "STORAGE_DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/none",
        "STORAGE_VALKEY_URL": "redis://127.0.0.1:1/0",
        "STORAGE_S3_ENDPOINT": "127.0.0.1:1",
        "STORAGE_S3_ACCESS_KEY": "a",
        "STORAGE_S3_SECRET_KEY": "b",
        "INGEST_SPOOL_FOLDER": str(tmp_path),
    }
    environ = {f"LECTERN_{name}": value for name, value in stores.items()}
    environ |= {f"LECTERN_INGEST_RTMPS_{word}_FILE": file for word, file in given_files.items()}
    command = [sys.executable, "-P", "-m", "lectern", "ingest"]
    ended = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith("lectern: ")
    assert said in line
