"""What goes on when parts of the house are away, and what a restart finds: real servers behind wires that are cut."""

import asyncio
import shutil
from pathlib import Path

import pytest

from domain.states import TakeState
from ingest.live_session import LiveSession
from ingest.service import IngestService
from storage.catalogue import takes
from tests.ingest.classroom import encoder, lesson, order
from tests.ingest.wired import Wires, segments, until

pytestmark = pytest.mark.anyio


async def test_the_store_is_away_and_comes_back(wired: Wires) -> None:
    told = await lesson(wired.stores.catalogue)
    async with wired.ingest() as service, encoder(service, told.key):
        await segments(service, told, 2)
        await wired.to_s3.cut()
        count = service.lives.sessions[told.session_id].window.closed_count
        await segments(service, told, count + 5)

        async def failing() -> bool:
            return service.lives.uploader.pending > 1 and "uploads fail" in "".join(service.troubles())

        await until(failing)
        stored_before = len(await wired.stores.placed(told))
        await wired.to_s3.mend()
        await order(wired.stores.catalogue, told.session_id, "end")
        await until(lambda: wired.stores.is_stored(told))
        assert len(await wired.stores.check_whole(told)) > stored_before
        assert service.troubles() == []
    assert list(wired.settings.spool_folder.iterdir()) == []


async def test_the_catalogue_is_away_and_comes_back(wired: Wires) -> None:
    told = await lesson(wired.stores.catalogue)
    async with wired.ingest() as service, encoder(service, told.key):
        await segments(service, told, 2)
        await wired.to_postgres.cut()
        count = service.lives.sessions[told.session_id].window.closed_count
        await segments(service, told, count + 5)
        await order(wired.stores.catalogue, told.session_id, "end")  # whose NOTIFY nobody hears
        await wired.to_postgres.mend()
        await until(lambda: wired.stores.is_stored(told))
        await wired.stores.check_whole(told)
    async with wired.stores.catalogue.transaction() as tx:
        (take,) = await takes.of_session(tx, told.session_id)
    assert take.state == TakeState.ended


async def test_an_encoder_that_is_cut_off_comes_back_into_one_recording(wired: Wires) -> None:
    told = await lesson(wired.stores.catalogue)
    async with wired.ingest() as service:
        async with encoder(service, told.key) as process:
            await segments(service, told, 2)
            process.kill()
            session = service.lives.sessions[told.session_id]

            async def lost() -> bool:
                return session.take is None

            await until(lost)
        count = session.window.closed_count
        async with encoder(service, told.key):
            await segments(service, told, count + 2)
            await order(wired.stores.catalogue, told.session_id, "end")
            await until(lambda: wired.stores.is_stored(told))
        placed = await wired.stores.check_whole(told)
    assert sum(one.reel.discontinuity for one in placed) == 1
    assert {one.take_number for one in placed} == {1, 2}
    text = session.playlists["main"].text().decode()
    assert text.count("#EXT-X-DISCONTINUITY\n") == 1


@pytest.mark.long
async def test_a_process_that_died_is_followed_by_one_that_goes_on(wired: Wires, tmp_path: Path) -> None:
    """The spool as it was in the middle of a segment is all that the next process has, beside rows and store."""
    told = await lesson(wired.stores.catalogue)
    snapshot = tmp_path / "snapshot"
    async with wired.ingest() as service, encoder(service, told.key):
        await segments(service, told, 2)
        await wired.to_s3.cut()
        await segments(service, told, 4)
        shutil.copytree(wired.settings.spool_folder, snapshot)
        shown = service.lives.sessions[told.session_id].window
        before = b"".join(part.muxed or b"" for part in shown.segments[3].parts)
        await wired.to_postgres.cut()
    await wired.to_s3.mend()
    await wired.to_postgres.mend()
    shutil.rmtree(wired.settings.spool_folder)
    shutil.copytree(snapshot, wired.settings.spool_folder)
    await wired.forget_hints()  # they know of segments that were shown after the snapshot
    async with wired.ingest() as service:
        await until(lambda: recovered(service))
        async with encoder(service, told.key):
            await segments(service, told, 7)
            session = service.lives.sessions[told.session_id]
            text = session.playlists["main"].text().decode()
            assert text.count("#EXT-X-DISCONTINUITY\n") == 1
            assert "seg-0.m4s" in text
            old = await service._reader.muxed(session.window.segments[3])
            assert old is not None
            assert old == before
            await order(wired.stores.catalogue, told.session_id, "end")
            await until(lambda: wired.stores.is_stored(told))
        placed = await wired.stores.check_whole(told)
    assert {one.take_number for one in placed} == {1, 2}
    numbers = [one.reel.number for one in placed]
    assert len(set(numbers)) == len(numbers)
    async with wired.stores.catalogue.transaction() as tx:
        first, second = await takes.of_session(tx, told.session_id)
    assert (first.state, second.state) == (TakeState.ended, TakeState.ended)


async def recovered(service: IngestService) -> bool:
    return service.publishing.ready.is_set()


async def test_a_session_that_ended_while_nobody_listened_is_completed_at_the_next_start(wired: Wires) -> None:
    told = await lesson(wired.stores.catalogue)
    async with wired.ingest() as service, encoder(service, told.key):
        await segments(service, told, 2)
    await order(wired.stores.catalogue, told.session_id, "end")
    assert not await wired.stores.is_stored(told)
    async with wired.ingest():
        await until(lambda: wired.stores.is_stored(told))
    await wired.stores.check_whole(told)


async def test_a_cut_over_the_catalogue_reaches_the_media(wired: Wires) -> None:
    told = await lesson(wired.stores.catalogue)
    async with wired.ingest() as service, encoder(service, told.key):
        await segments(service, told, 1)
        session = service.lives.sessions[told.session_id]
        await order(wired.stores.catalogue, told.session_id, "cut", "a mistake")

        async def is_cut() -> bool:
            return session.gate.is_cut

        await until(is_cut, 2)
        count = shown(session)
        await asyncio.sleep(1.5)  # what would have come out in this time is the thing tested
        assert shown(session) == count
        await order(wired.stores.catalogue, told.session_id, "resume")

        async def goes_on() -> bool:
            return shown(session) >= count + 3

        await until(goes_on)
        await order(wired.stores.catalogue, told.session_id, "end")
        await until(lambda: wired.stores.is_stored(told))
        msns = await wired.stores.msns(told)
        assert msns == [one.msn for one in session.window.segments if not one.holding]
        placed = await wired.stores.placed(told)
    kept = list(wired.stores.store.list_prefix(f"recordings/{placed[0].reel.recording_id}/evidence/"))
    assert {one.key.rpartition(".")[2] for one in kept} == {"mp4", "m4s"}, "what was cut, and the init to play it"


def shown(session: LiveSession) -> int:
    """Segments that are not of the holding picture."""
    return sum(1 for one in session.window.segments if not one.holding)
