"""`lectern api` as production runs it: a process of its own on real stores, behind a proxy or not."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest

from storage.catalogue.address import for_libpq
from storage.embedded import s3 as embedded_s3
from storage.embedded import valkey as embedded_valkey
from tests.conftest import CatalogueUrls

LECTERN = Path(sys.executable).with_name("lectern")
READY_SECONDS = 60.0
VIEWER = "203.0.113.7"
FORGED = "198.51.100.1"


@pytest.fixture
def environ(
    catalogue_urls: CatalogueUrls, valkey: embedded_valkey.Running, s3: embedded_s3.Running, dead_port: int
) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("LECTERN_")}
    return plain | {
        "LECTERN_MASTER_SECRET": bytes(range(32)).hex(),
        "LECTERN_STORAGE_DATABASE_URL": catalogue_urls.app,
        "LECTERN_STORAGE_VALKEY_URL": valkey.url,
        "LECTERN_STORAGE_S3_ENDPOINT": s3.endpoint,
        "LECTERN_STORAGE_S3_ACCESS_KEY": s3.access_key,
        "LECTERN_STORAGE_S3_SECRET_KEY": s3.secret_key,
        "LECTERN_STORAGE_S3_BUCKET": s3.bucket,
        "LECTERN_STORAGE_S3_REGION": s3.region,
        "LECTERN_API_PORT": str(dead_port),
        "LECTERN_LOG_FORMAT": "json",
    }


@contextmanager
def api_process(environ: dict[str, str], folder: Path) -> Iterator[httpx.Client]:
    """The process, ready; a client of it. It must end by SIGTERM within seconds."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([LECTERN, "api"], env=environ, cwd=folder, stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{environ['LECTERN_API_PORT']}", timeout=10.0) as client:
            until_ready(client, process, folder / "log")
            yield client
        process.send_signal(signal.SIGTERM)
        assert process.wait(20.0) == 0
    finally:
        process.kill()
        process.wait()


def until_ready(client: httpx.Client, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + READY_SECONDS
    while True:
        try:
            if client.get("/readyz").is_success:
                return
        except httpx.TransportError:
            pass
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.1)


WRONG = {"login": "nobody", "password": "Very-secret-word-1"}


def addresses_kept(urls: CatalogueUrls) -> list[str]:
    with psycopg.connect(for_libpq(urls.owner)) as connection:
        rows = connection.execute("SELECT address FROM audit_entry WHERE action LIKE 'sign_in%' ORDER BY id").fetchall()
    return [address for (address,) in rows]


def test_the_audit_trail_keeps_the_viewers_address_and_the_log_keeps_no_secret(
    environ: dict[str, str], catalogue_urls: CatalogueUrls, tmp_path: Path
) -> None:
    """nginx on the same machine names the viewer; what a viewer wrote there himself stands before it and counts not."""
    token = "x" * 40
    with api_process({**environ, "LECTERN_LOG_LEVEL": "debug"}, tmp_path) as client:
        for forwarded in (VIEWER, f"{FORGED}, {VIEWER}"):
            answer = client.post("/api/v1/sign-ins", json=WRONG, headers={"X-Forwarded-For": forwarded})
            assert (answer.status_code, answer.json()["code"]) == (401, "bad_credentials")
        client.get(f"/replay/00000000-0000-0000-0000-000000000007/{token}/index.m3u8")
    assert addresses_kept(catalogue_urls) == [VIEWER, VIEWER]
    written = (tmp_path / "log").read_text()
    secrets = (token, WRONG["password"], environ["LECTERN_MASTER_SECRET"], environ["LECTERN_STORAGE_S3_SECRET_KEY"])
    assert not [secret for secret in secrets if secret in written]


def test_head_goes_through_the_server_as_it_is(environ: dict[str, str], tmp_path: Path) -> None:
    """On one connection kept alive: a body where none may be would be read as the next answer."""
    with api_process(environ, tmp_path) as client:
        for path in ("/healthz", "/schema/openapi.json", "/api/v1/sessions", "/api/v1/sign-ins"):
            head, got = client.head(path), client.get(path)
            assert (head.status_code, head.content) == (got.status_code, b""), path
            told, wanted = ({k: v for k, v in one.headers.items() if k != "date"} for one in (head, got))
            assert told == wanted, path
            assert int(told["content-length"]) > 0


def test_who_is_no_trusted_proxy_may_claim_what_he_likes(
    environ: dict[str, str], catalogue_urls: CatalogueUrls, tmp_path: Path
) -> None:
    with api_process({**environ, "LECTERN_API_TRUSTED_PROXIES": "10.0.0.0/8"}, tmp_path) as client:
        client.post("/api/v1/sign-ins", json=WRONG, headers={"X-Forwarded-For": FORGED})
    assert addresses_kept(catalogue_urls) == ["127.0.0.1"]
