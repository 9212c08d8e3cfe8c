"""A captured take, and how a player comes to its replay."""

from uuid import UUID

import pytest

from domain.states import SessionMove
from storage.catalogue import recordings, sessions, takes
from storage.catalogue.transaction import Catalogue
from storage.objects.store import ObjectStore
from tests.api.conftest import ORIGIN, Client, Clock, School
from tests.kit.captured import Clip, capture, clip
from tests.storage.catalogue import builders


@pytest.fixture(scope="module")
def source_clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    return clip(tmp_path_factory.mktemp("clip") / "source.mp4", size="854x480", rate="700k")


@pytest.fixture
async def recording_id(
    catalogue: Catalogue, object_store: ObjectStore, school: School, clock: Clock, source_clip: Clip
) -> UUID:
    """A live session whose reels are stored."""
    async with catalogue.transaction() as tx:
        session = await builders.session(tx, school.place, clock.now)
        take = await builders.take(tx, session, clock.now)
        await capture(tx, object_store, take, source_clip)
    assert take.recording_id is not None
    return take.recording_id


async def end(catalogue: Catalogue, recording_id: UUID, clock: Clock) -> None:
    async with catalogue.transaction() as tx:
        recording = await recordings.get(tx, recording_id)
        take = (await takes.of_session(tx, recording.session_id))[0]
        await takes.end(tx, take.id, clock.now, "unpublished")
        session = await sessions.lock(tx, recording.session_id)
        await sessions.move(tx, session, SessionMove.end, clock.now, "button")
        await recordings.capture_ended(tx, recording_id, clock.now)


async def playback(client: Client, recording_id: UUID) -> str:
    """The replay's folder, as its URL begins."""
    url: str = (await client.post(f"/api/v1/recordings/{recording_id}/playback")).json()["url"]
    return url.removeprefix(ORIGIN).rsplit("/", 1)[0]
