"""What an ingest process is told about encoders reaches its RTMP server: the certificate, the limits, where to move."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.rtmp.certificate import CertificateFault
from ingest.settings import IngestSettings
from storage.catalogue.transaction import Catalogue
from storage.embedded import valkey as embedded_valkey
from storage.objects.store import ObjectStore
from tests.ingest.classroom import encoder_to, ingest, lesson
from tests.kit.certificates import write_pair

pytestmark = pytest.mark.anyio


async def test_rtmps_by_settings(
    settings: IngestSettings, catalogue: Catalogue, store: ObjectStore, valkey: embedded_valkey.Running, tmp_path: Path
) -> None:
    pair = write_pair(tmp_path)
    told = await lesson(catalogue)
    served = replace(
        settings,
        rtmps_port=0,
        rtmps_certificate_file=pair.certificate,
        rtmps_key_file=pair.key,
        encoder_megabits=7,
        rtmp_reconnect_url="rtmp://other.test:1935/live",
        rtmp_connections_per_address=5,
    )
    async with ingest(served, catalogue, store, valkey.url) as service:
        async with (
            encoder_to(f"rtmps://127.0.0.1:{service.rtmp.tls_port}/live", told.key, seconds=2) as process,
            asyncio.timeout(30),
        ):
            assert await process.wait() == 0
        server = service.rtmp._settings
        assert server.bit_rate.soft_megabits == 7
        assert server.reconnect_url == "rtmp://other.test:1935/live"
        assert server.connections_per_address == 5
        assert told.session_id in service.lives.sessions


async def test_a_certificate_that_is_not_there_stops_it_before_it_starts(
    settings: IngestSettings, catalogue: Catalogue, store: ObjectStore, valkey: embedded_valkey.Running, tmp_path: Path
) -> None:
    missing = replace(settings, rtmps_certificate_file=tmp_path / "none.pem", rtmps_key_file=tmp_path / "none.key")
    with pytest.raises(CertificateFault, match=r"none\.pem: No such file"):
        async with ingest(missing, catalogue, store, valkey.url):
            raise AssertionError("it started")


def test_a_certificate_without_its_key_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="both or neither"):
        IngestSettings(rtmps_key_file=Path("key.pem"))
