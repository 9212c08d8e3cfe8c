"""A lecture with a cut and an encoder that comes back: what is stored of it is proven against its report."""

from dataclasses import replace
from uuid import UUID

import anyio.to_thread
import pytest

from domain.states import RecordingState
from ingest.service import IngestService
from ingest.settings import IngestSettings
from lectern.whole_recording import examine
from retention.report import Row, report
from retention.report_writing import write_report
from storage.catalogue import evidence, recordings
from storage.catalogue.transaction import Catalogue
from storage.embedded import valkey as embedded_valkey
from storage.objects.store import ObjectStore
from tests.ingest.classroom import encoder, ingest, lesson, order
from tests.ingest.test_whole_path import has_segments, until

pytestmark = pytest.mark.anyio


async def whole(catalogue: Catalogue, session_id: UUID) -> UUID:
    """The session's recording, once all of it is stored."""
    found: list[UUID] = []

    async def stored() -> bool:
        async with catalogue.transaction() as tx:
            recording = await recordings.of_session(tx, session_id)
        if recording is None or recording.state != RecordingState.stored:
            return False
        found.append(recording.id)
        return True

    await until(stored)
    return found[0]


async def gate_is(service: IngestService, session_id: UUID, *, cut: bool) -> bool:
    live = service.lives.sessions.get(session_id)
    return live is not None and live.gate.is_cut == cut


async def reported(catalogue: Catalogue, objects: ObjectStore, recording_id: UUID) -> Row:
    """The report, once it is written and everything is proven against it."""
    assert await write_report(catalogue, objects, recording_id)
    async with catalogue.transaction() as tx:
        said = await report(tx, await recordings.get(tx, recording_id))
        kept = await evidence.of_recording(tx, recording_id)
    checks = await anyio.to_thread.run_sync(lambda: list(examine(objects, recording_id, said, kept)))
    assert [str(check) for check in checks if not check.passed] == []
    assert len(checks) == 2 + len(said["inits"]) + len(said["reels"]) + len(kept) + len(said["takes"])
    return said


@pytest.mark.long
async def test_a_lecture_is_proven_from_the_encoder_to_the_store(
    settings: IngestSettings, catalogue: Catalogue, store: ObjectStore, valkey: embedded_valkey.Running
) -> None:
    told = await lesson(catalogue)
    quick = replace(settings, reel_seconds=4.0, verified_keep_bytes=0, retry_first_seconds=0.1)
    async with ingest(quick, catalogue, store, valkey.url) as service:
        async with encoder(service, told.key):
            await until(lambda: has_segments(service, told.session_id, 3))
            await order(catalogue, told.session_id, "cut", "照片")
            await until(lambda: gate_is(service, told.session_id, cut=True), 5)
            await anyio.sleep(1.0)  # three seconds of media that nobody may see
            await order(catalogue, told.session_id, "resume")
            await until(lambda: gate_is(service, told.session_id, cut=False), 5)
            await until(lambda: has_segments(service, told.session_id, 5))
        async with encoder(service, told.key):
            await until(lambda: has_segments(service, told.session_id, 8))
            await order(catalogue, told.session_id, "end", "done")
            recording_id = await whole(catalogue, told.session_id)
    said = await reported(catalogue, store, recording_id)
    first, second = said["takes"]
    assert "Lavf" in first["encoder"]
    assert first["findings"]["encoder"].startswith("Lavf")
    assert first["withheld_ms"] >= 2000
    came, dropped = second["findings"]["frames"], second["findings"]["dropped"]
    assert {kind: came[kind] - dropped.get(kind, 0) for kind in came} == second["stored"]
    assert first["withheld"]["video"] >= 60
    assert sum(first["stored"].values()) < sum(first["findings"]["frames"].values())
    assert ["withheld"] in [gap["reasons"] for gap in said["gaps"]]
    assert ["encoder_away"] in [gap["reasons"] for gap in said["gaps"]]
    assert {one["kind"] for reel in said["reels"] for one in reel["tracks"]} == {"video", "audio"}
