"""Failed work tried again: by whom, and what that leaves in rows. That it runs then is a test of the whole house."""

from uuid import uuid4

import pytest
from sqlalchemy import select

from domain.facts import WorkRetried, to_json
from storage.catalogue import work
from storage.catalogue.tables.fact import FactRow
from storage.catalogue.tables.recording import Recording
from storage.catalogue.tables.work import Work
from storage.catalogue.transaction import Catalogue
from tests.api.conftest import Client, Clock, School
from tests.storage.catalogue import builders
from transcode import subjects

pytestmark = pytest.mark.anyio

LOG = "ffmpeg: moov atom not found"


@pytest.fixture
async def failed(catalogue: Catalogue, school: School, clock: Clock) -> tuple[Recording, Work]:
    """A stored recording, one of whose reels could not be encoded."""
    subject = subjects.encode(uuid4(), uuid4())
    async with catalogue.transaction() as tx:
        recording = await builders.stored_recording(tx, school.place, clock.now)
        await work.queue(tx, recording.id, subjects.ENCODE, subject, clock.now)
        await work.start(tx, subject, clock.now)
        return recording, await work.fail(tx, subject, clock.now, "ffmpeg ended with code 1", LOG)


async def retried(catalogue: Catalogue) -> list[dict[str, object]]:
    async with catalogue.transaction() as tx:
        found = await tx.session.scalars(select(FactRow.payload).where(FactRow.name == WorkRetried.NAME))
        return list(found)


async def test_who_may_edit_the_recording_has_it_tried_again_once(
    client: Client, school: School, failed: tuple[Recording, Work], catalogue: Catalogue
) -> None:
    recording, item = failed
    path = f"/api/v1/recordings/{recording.id}/work/{item.id}/retry"
    await client.sign_in(school.manager.login)
    answer = await client.post(path)
    assert answer.status_code == 202
    assert (answer.json()["state"], answer.json()["error"], answer.json()["log"]) == ("queued", None, LOG)
    again = await client.post(path)
    assert (again.status_code, again.json()["code"]) == (409, "move_not_allowed")
    assert await retried(catalogue) == [to_json(WorkRetried(recording.id, item.id))]


async def test_nobody_else_does(
    client: Client, school: School, failed: tuple[Recording, Work], catalogue: Catalogue
) -> None:
    recording, item = failed
    for person, status in ((school.learner, 403), (school.stranger, 403)):
        await client.sign_in(person.login)
        answer = await client.post(f"/api/v1/recordings/{recording.id}/work/{item.id}/retry")
        assert answer.status_code == status
    assert await retried(catalogue) == []


async def test_another_recordings_work_is_not_found(
    client: Client, school: School, failed: tuple[Recording, Work], catalogue: Catalogue, clock: Clock
) -> None:
    recording, _ = failed
    await client.sign_in(school.manager.login)
    answer = await client.post(f"/api/v1/recordings/{recording.id}/work/{uuid4()}/retry")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
