"""Signing in as a browser does."""

from datetime import timedelta

import pytest

from api.resources import Resources
from api.sign_in_cookie import COOKIE
from domain.kinds import Role
from tests.api.conftest import ORIGIN, PASSWORD, Client, Clock, People, client_of

pytestmark = pytest.mark.anyio


async def test_sign_in_gives_a_host_cookie_and_says_who_one_is(client: Client, people: People) -> None:
    teacher = await people.with_role(Role.teacher)
    answer = await client.post("/api/v1/sign-ins", json={"login": teacher.login, "password": PASSWORD})
    assert answer.status_code == 201
    assert answer.json()["account"] == {"id": str(teacher.id), "login": teacher.login, "display_name": "teacher"}
    assert answer.json()["grants"] == [{"role": "teacher", "scope_kind": "institute", "scope_id": None}]
    sent = answer.headers["set-cookie"]
    assert sent.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax"} <= set(sent.split("; "))
    again = await client.get("/api/v1/sign-ins/current")
    assert again.json() == answer.json()


async def test_wrong_password_and_unknown_login_read_alike(client: Client, people: People) -> None:
    teacher = await people.with_role(Role.teacher)
    answers = [
        await client.post("/api/v1/sign-ins", json={"login": login, "password": "Wrong-password-1"})
        for login in (teacher.login, "nobody")
    ]
    assert [one.status_code for one in answers] == [401, 401]
    assert answers[0].json() == answers[1].json()
    assert answers[0].headers["content-type"] == "application/problem+json"
    assert answers[0].json()["code"] == "bad_credentials"


async def test_five_failures_lock_the_account_for_a_quarter_of_an_hour(
    client: Client, people: People, clock: Clock
) -> None:
    teacher = await people.with_role(Role.teacher)
    wrong = {"login": teacher.login, "password": "Wrong-password-1"}
    for _ in range(5):
        await client.post("/api/v1/sign-ins", json=wrong)
    locked = await client.post("/api/v1/sign-ins", json={"login": teacher.login, "password": PASSWORD})
    assert (locked.status_code, locked.json()["code"]) == (403, "account_locked")
    assert 0 < int(locked.headers["retry-after"]) <= 900
    clock.now += timedelta(minutes=16)
    assert await client.sign_in(teacher.login)


async def test_one_address_may_try_twenty_times_a_minute(client: Client) -> None:
    strangers = [{"login": f"nobody-{number}", "password": "Wrong-password-1"} for number in range(21)]
    codes = [(await client.post("/api/v1/sign-ins", json=stranger)).status_code for stranger in strangers]
    assert codes == [401] * 20 + [429]


async def test_a_second_sign_in_ends_the_first(resources: Resources, client: Client, people: People) -> None:
    teacher = await people.with_role(Role.teacher)
    await client.sign_in(teacher.login)
    async with client_of(resources) as other:
        await other.sign_in(teacher.login)
        assert (await other.get("/api/v1/sign-ins/current")).status_code == 200
    assert (await client.get("/api/v1/sign-ins/current")).status_code == 401


async def test_a_change_needs_the_csrf_token_and_ones_own_origin(client: Client, people: People) -> None:
    teacher = await people.with_role(Role.teacher)
    await client.sign_in(teacher.login)
    forged = await client.delete("/api/v1/sign-ins/current", headers={"X-CSRF-Token": "0" * 64})
    foreign = await client.delete("/api/v1/sign-ins/current", headers={"Origin": "https://elsewhere.test"})
    assert [(one.status_code, one.json()["code"]) for one in (forged, foreign)] == [(403, "csrf_failed")] * 2
    assert (await client.delete("/api/v1/sign-ins/current", headers={"Origin": ORIGIN})).status_code == 204
    assert (await client.get("/api/v1/sign-ins/current")).json()["code"] == "not_signed_in"


@pytest.mark.parametrize("body", [b"", b"[]", b'{"login": 1}', b"\xff"])
async def test_malformed_bodies_are_problems(client: Client, body: bytes) -> None:
    answer = await client.post("/api/v1/sign-ins", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_input"


async def test_no_such_route_and_health(client: Client) -> None:
    lost = await client.get("/api/v1/nothing")
    assert (lost.status_code, lost.json()["code"]) == (404, "not_found")
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    assert (await client.get("/readyz")).json() == {"catalogue": "ok", "valkey": "ok", "objects": "ok"}
