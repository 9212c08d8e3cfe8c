"""What the answer to a cut promises, and the delay that a cut needs. Nobody answers where the owners are."""

import time
from datetime import timedelta

import pytest

from api.control import FROZEN_SECONDS
from storage.catalogue import live_owner, sessions
from storage.catalogue.tables.session import Session
from storage.catalogue.transaction import Catalogue
from tests.api.conftest import Client, Clock, School
from tests.storage.catalogue import builders

pytestmark = pytest.mark.anyio

REASON = {"reason": "误入"}
NOBODY = "http://127.0.0.1:9"


async def planned(catalogue: Catalogue, school: School, clock: Clock, *, reviewed: bool) -> Session:
    async with catalogue.transaction() as tx:
        reviewer_id = school.publicity.id if reviewed else None
        return await builders.session(tx, school.place, clock.now + timedelta(hours=1), reviewer_id=reviewer_id)


async def go_live(catalogue: Catalogue, session: Session, clock: Clock) -> None:
    async with catalogue.transaction() as tx:
        await builders.take(tx, await sessions.get(tx, session.id), clock.now)
        await live_owner.claim(tx, session.id, "node-1", NOBODY, clock.now)


async def test_a_cut_that_its_server_did_not_take_is_not_called_done(
    client: Client, school: School, catalogue: Catalogue, clock: Clock
) -> None:
    session = await planned(catalogue, school, clock, reviewed=False)
    await go_live(catalogue, session, clock)
    await client.sign_in(school.teacher.login)
    cut = await client.post(f"/api/v1/sessions/{session.id}/cut", json=REASON)
    assert (cut.status_code, cut.json()["state"]) == (202, "cut")


async def test_a_cut_of_a_reviewed_session_is_done_once_its_gate_must_have_frozen(
    client: Client, school: School, catalogue: Catalogue, clock: Clock
) -> None:
    session = await planned(catalogue, school, clock, reviewed=True)
    await go_live(catalogue, session, clock)
    await client.sign_in(school.publicity.login)
    began = time.monotonic()
    cut = await client.post(f"/api/v1/sessions/{session.id}/cut", json=REASON)
    assert (cut.status_code, cut.json()["state"]) == (200, "cut")
    assert time.monotonic() - began >= FROZEN_SECONDS


async def test_a_kick_has_a_number_of_its_own(
    client: Client, school: School, catalogue: Catalogue, clock: Clock
) -> None:
    session = await planned(catalogue, school, clock, reviewed=False)
    await go_live(catalogue, session, clock)
    await client.sign_in(school.teacher.login)
    path = f"/api/v1/sessions/{session.id}"
    before = (await client.get(path)).json()["version"]
    assert (await client.post(f"{path}/kick", json=REASON)).status_code == 202
    assert (await client.get(path)).json()["version"] == before + 1


@pytest.mark.parametrize(
    ("reviewed", "seconds", "status"),
    [(False, 0, 200), (False, 4, 400), (True, 0, 400), (True, 30, 200), (True, 301, 400)],
)
async def test_a_delay_is_set_while_nobody_watches_yet(
    client: Client, school: School, catalogue: Catalogue, clock: Clock, reviewed: bool, seconds: int, status: int
) -> None:
    session = await planned(catalogue, school, clock, reviewed=reviewed)
    await client.sign_in(school.academic.login)
    path = f"/api/v1/sessions/{session.id}"
    assert (await client.get(path)).json()["delay_seconds"] == (5 if reviewed else 0)
    answer = await client.patch(path, json={"delay_seconds": seconds}, headers={"If-Match": '"1"'})
    assert answer.status_code == status, answer.text
    if status == 200:
        assert answer.json()["delay_seconds"] == seconds


async def test_the_delay_of_what_is_live_stays(
    client: Client, school: School, catalogue: Catalogue, clock: Clock
) -> None:
    session = await planned(catalogue, school, clock, reviewed=True)
    await go_live(catalogue, session, clock)
    await client.sign_in(school.academic.login)
    path = f"/api/v1/sessions/{session.id}"
    seen = (await client.get(path)).headers["etag"]
    answer = await client.patch(path, json={"delay_seconds": 60}, headers={"If-Match": seen})
    assert (answer.status_code, answer.json()["code"]) == (409, "move_not_allowed")
