"""What every answer carries, and what none tells."""

from dataclasses import replace
from datetime import datetime

import pytest
from redis.asyncio import Redis

from api.resources import Resources
from storage.catalogue import recordings
from storage.catalogue.tables.recording import Recording
from storage.catalogue.transaction import Catalogue
from tests.api.conftest import Client, Clock, School, client_of
from tests.storage.catalogue import builders

pytestmark = pytest.mark.anyio

SECRET = "SELECT password_hash FROM account; /srv/lectern/key"


@pytest.fixture
async def recording(catalogue: Catalogue, school: School, clock: Clock, resources: Resources) -> Recording:
    async with catalogue.transaction() as tx:
        made = await builders.stored_recording(tx, school.place, clock.now)
        await recordings.set_poster(tx, made.id, f"recordings/{made.id}/poster.jpg")
    resources.objects.put_bytes(f"recordings/{made.id}/poster.jpg", b"\xff\xd8jpeg")
    return made


async def test_nothing_is_sniffed_and_nothing_personal_is_kept(
    client: Client, school: School, recording: Recording
) -> None:
    answers = [await client.get("/api/v1/sessions"), await client.get("/api/v1/none")]
    answers.append(await client.post("/api/v1/sign-ins", json={}))
    await client.sign_in(school.teacher.login)
    paths = ("sign-ins/current", "sessions", "recordings", f"recordings/{recording.id}", "institute")
    answers.extend([await client.get(f"/api/v1/{path}") for path in paths])
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff", answer.url
        assert answer.headers["cache-control"] == "no-store", answer.url
    poster = await client.get(f"/api/v1/recordings/{recording.id}/poster")
    assert poster.headers["content-type"] == "image/jpeg"
    assert poster.headers["x-content-type-options"] == "nosniff"
    assert poster.headers["cache-control"].startswith("private")
    assert (await client.get("/healthz")).headers["x-content-type-options"] == "nosniff"


async def test_options_tell_methods_and_open_no_origin(client: Client) -> None:
    asked = {"Origin": "https://elsewhere.test", "Access-Control-Request-Method": "POST"}
    answer = await client.options("/api/v1/sign-ins", headers=asked)
    assert answer.status_code == 204
    assert {one.strip() for one in answer.headers["allow"].split(",")} == {"OPTIONS", "POST"}
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_a_fault_tells_nothing_of_itself(resources: Resources) -> None:
    def broken() -> datetime:
        raise RuntimeError(SECRET)

    async with client_of(replace(resources, clock=broken)) as client:
        client._transport.raise_app_exceptions = False  # type: ignore[attr-defined]
        answer = await client.post("/api/v1/sign-ins", json={"login": "l", "password": "p"})
    assert (answer.status_code, answer.json()["code"]) == (500, "fault")
    assert answer.json().keys() == {"type", "title", "status", "detail", "instance", "code"}
    assert not [word for word in SECRET.split() if len(word) > 4 and word in answer.text]


async def test_without_valkey_one_is_asked_to_come_again(resources: Resources) -> None:
    lost = Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=1.0)
    async with client_of(replace(resources, valkey=lost)) as client:
        answer = await client.post("/api/v1/sign-ins", json={"login": "l", "password": "p"})
    await lost.aclose()
    assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert "127.0.0.1" not in answer.text
