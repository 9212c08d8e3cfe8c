"""What the doctor finds on the machine itself; each failing case is brought about, not pretended."""

import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from lectern.doctor import addresses, descriptors, disk, ffmpeg, secret
from lectern.doctor.finding import Verdict
from tests.lectern.doctor.conftest import given

NOBODY = 65534


def program(folder: Path, script: str) -> str:
    path = folder / "ffmpeg"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_the_ffmpeg_of_the_lock_file_has_every_encoder() -> None:
    assert ffmpeg.encoders(given()).verdict == Verdict.good


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("echo ' V....D libx264  H.264'; echo ' A....D aac  AAC'; echo ' A....D libopus  Opus'", "lacks mjpeg"),
        # A decoder's line, a name inside another's description: neither is an encoder of that name.
        ("echo 'mjpeg libx264 aac libopus'", "lacks libx264, aac, libopus, mjpeg"),
        ("echo 'cannot open libx264.so' >&2; exit 127", "code 127: cannot open libx264.so"),
    ],
)
def test_an_ffmpeg_that_cannot_do_it(script: str, found: str, tmp_path: Path) -> None:
    finding = ffmpeg.encoders(given(), program(tmp_path, script))
    assert (finding.verdict, found in finding.found) == (Verdict.bad, True), finding


def test_an_ffmpeg_that_does_not_run(tmp_path: Path) -> None:
    (tmp_path / "ffmpeg").write_bytes(b"\x7fELF of another machine")
    (tmp_path / "ffmpeg").chmod(0o755)
    for path in (tmp_path / "ffmpeg", tmp_path / "gone"):
        finding = ffmpeg.encoders(given(), str(path))
        assert (finding.verdict, "does not run" in finding.found) == (Verdict.bad, True), finding


@pytest.mark.parametrize(
    ("check", "variable"),
    [
        (disk.data_folder, "DATA_FOLDER"),
        (disk.spool, "INGEST_SPOOL_FOLDER"),
        (disk.work, "TRANSCODE_WORK_FOLDER"),
    ],
)
def test_room_on_the_disk_of_each_folder(check: disk.Examine, variable: str, tmp_path: Path) -> None:
    folder = tmp_path / "not" / "made" / "yet"
    thresholds = {"INGEST_DISK_LOW_BYTES": "1", "INGEST_DISK_FULL_BYTES": "1"}
    assert check(given(**{variable: str(folder)}, **thresholds)).verdict == Verdict.good
    assert not folder.exists(), "the doctor only looks"
    too_much = {"INGEST_DISK_LOW_BYTES": str(1 << 60)}
    assert check(given(**{variable: str(folder)}, **too_much)).verdict == Verdict.doubtful
    too_much["INGEST_DISK_FULL_BYTES"] = str(1 << 59)
    low = check(given(**{variable: str(folder)}, **too_much))
    assert (low.verdict, variable in low.remedy) == (Verdict.bad, True)


def test_the_data_folder_is_not_asked_for_where_every_store_has_an_address() -> None:
    elsewhere = {"STORAGE_DATABASE_URL": "postgresql://x/y", "STORAGE_VALKEY_URL": "redis://x"}
    nowhere = {"DATA_FOLDER": "/proc/version/data"}
    assert disk.data_folder(given(**nowhere, **elsewhere)).verdict == Verdict.bad
    assert disk.data_folder(given(**nowhere, **elsewhere, STORAGE_S3_ENDPOINT="x:1")).verdict == Verdict.good


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("", encoding="utf-8")
    finding = disk.spool(given(INGEST_SPOOL_FOLDER=str(tmp_path / "spool")))
    assert (finding.verdict, "no folder" in finding.found) == (Verdict.bad, True)


@pytest.fixture
def without_rights() -> Iterator[None]:
    """As a user who owns nothing; a test process that is not root is one already."""
    if os.getuid() != 0:
        yield
        return
    os.setresuid(NOBODY, NOBODY, 0)
    yield
    os.setresuid(0, 0, 0)


def test_a_folder_of_somebody_else(without_rights: None) -> None:
    finding = disk.spool(given(INGEST_SPOOL_FOLDER="/usr/lectern-spool"))
    assert (finding.verdict, finding.found) == (Verdict.bad, "/usr may not be written")


@pytest.mark.parametrize(("most", "verdict"), [(300, Verdict.bad), (1024, Verdict.doubtful), (8192, Verdict.good)])
def test_the_limit_of_open_files(most: int, verdict: Verdict) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    try:
        finding = descriptors.limit(given())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert (finding.verdict, str(most) in finding.found) == (verdict, True)


@pytest.mark.parametrize(
    ("variables", "verdict"),
    [
        ({}, Verdict.good),
        ({"API_PUBLIC_URL": "http://localhost:8080"}, Verdict.good),
        ({"API_PUBLIC_URL": "http://[::1]:8080"}, Verdict.good),
        ({"API_PUBLIC_URL": "https://lectern.test", "API_HOST": "0.0.0.0"}, Verdict.good),
        ({"API_PUBLIC_URL": "http://lectern.test"}, Verdict.bad),
        ({"API_PUBLIC_URL": "http://127.0.0.1.evil.test"}, Verdict.bad),
        ({"API_INGEST_PUBLIC_URL": "http://10.0.0.7:8090"}, Verdict.bad),
        ({"API_PUBLIC_URL": "lectern.test"}, Verdict.bad),
        ({"API_HOST": "0.0.0.0"}, Verdict.bad),
    ],
)
def test_addresses_are_https_or_loopback(variables: dict[str, str], verdict: Verdict) -> None:
    finding = addresses.public(given(**variables))
    assert finding.verdict == verdict, finding
    assert bool(finding.remedy) == (verdict != Verdict.good)


@pytest.mark.parametrize(
    ("variables", "verdict"),
    [
        ({"MASTER_SECRET": bytes(range(32)).hex()}, Verdict.good),
        ({"MASTER_SECRET": "ab" * 32}, Verdict.bad),
        ({}, Verdict.doubtful),
        ({"STORAGE_DATABASE_URL": "postgresql://x/y"}, Verdict.bad),
    ],
)
def test_the_master_secret(variables: dict[str, str], verdict: Verdict) -> None:
    finding = secret.master(given(**variables))
    assert finding.verdict == verdict
    assert variables.get("MASTER_SECRET", "…") not in finding.found
