"""A recording's report: whoever may edit the recording reads it, from when it is whole until it is purged."""

import pytest

from api.resources import Resources
from retention.report_writing import write_report
from storage.catalogue.tables.recording import Recording
from storage.catalogue.transaction import Catalogue
from tests.api.conftest import Client, Clock, School
from tests.storage.catalogue import builders

pytestmark = pytest.mark.anyio


@pytest.fixture
async def recording(catalogue: Catalogue, school: School, clock: Clock) -> Recording:
    """A stored recording of the school's teacher, ended now."""
    async with catalogue.transaction() as tx:
        return await builders.stored_recording(tx, school.place, clock.now)


async def test_who_reads_it_and_when(
    client: Client, school: School, recording: Recording, catalogue: Catalogue, resources: Resources
) -> None:
    path = f"/api/v1/recordings/{recording.id}/report"
    await client.sign_in(school.manager.login)
    assert (await client.get(path)).status_code == 404, "nobody has written it yet"
    assert await write_report(catalogue, resources.objects, recording.id)
    answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    said = answer.json()
    assert (said["recording_id"], len(said["takes"]), len(said["reels"])) == (str(recording.id), 1, 1)
    assert said["takes"][0]["encoder"] == "test"
    assert "127.0.0.1" not in answer.text, "where the encoder stood is no business of whoever may edit"
    for other in (school.learner, school.stranger):
        await client.sign_in(other.login)
        assert (await client.get(path)).status_code == 403
