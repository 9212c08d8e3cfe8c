"""How many watched a recording's session live: told to who teaches or controls it, and to nobody else."""

import pytest

from storage.catalogue import sessions
from storage.catalogue.transaction import Catalogue
from tests.api.conftest import Client, Clock, School
from tests.storage.catalogue import builders

pytestmark = pytest.mark.anyio


async def test_the_peak_stands_with_the_recording(
    client: Client, school: School, catalogue: Catalogue, clock: Clock
) -> None:
    async with catalogue.transaction() as tx:
        recording = await builders.stored_recording(tx, school.place, clock.now)
        await sessions.keep_peak(tx, session_id=recording.session_id, viewers=87)
    for person, peak in ((school.teacher, 87), (school.academic, 87), (school.manager, 87), (school.learner, None)):
        await client.sign_in(person.login)
        answer = await client.get(f"/api/v1/recordings/{recording.id}")
        assert (answer.status_code, answer.json()["peak_viewers"]) == (200, peak), person.display_name
