"""What an attacker tries at the door: guessing, enumerating, fixing, forging, and staying."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import httpx
import pytest
from argon2 import PasswordHasher
from sqlalchemy import text

from api.app import create_app
from api.resources import Resources
from api.sign_in_cookie import COOKIE
from domain.kinds import Role
from domain.passwords import Attempts
from storage.catalogue import accounts
from storage.catalogue.tables.account import Account
from storage.catalogue.transaction import Catalogue, Transaction
from tests.api.conftest import ORIGIN, PASSWORD, Client, Clock, People, School, client_of
from tests.house.test_permits import address, handlers

pytestmark = pytest.mark.anyio

CURRENT = "/api/v1/sign-ins/current"
WRONG = "Wrong-password-1"


async def tried(client: Client, login: str, password: str = WRONG) -> httpx.Response:
    return await client.post("/api/v1/sign-ins", json={"login": login, "password": password})


async def test_a_login_that_nobody_has_locks_as_an_accounts_does(
    resources: Resources, people: People, clock: Clock
) -> None:
    account = await people.with_role(Role.teacher)
    patient = replace(resources, settings=replace(resources.settings, sign_in_attempts_per_minute=100))
    async with client_of(patient) as client:
        for _ in range(2):
            seen = []
            for login in (account.login, f" U{uuid4().hex[:10]} "):
                answers = [await tried(client, login) for _ in range(6)]
                seen.append([(one.status_code, one.json(), one.headers.get("retry-after")) for one in answers])
            assert [status for status, _, _ in seen[0]] == [401] * 5 + [403]
            assert seen[0] == seen[1]
            clock.now += timedelta(minutes=16)


async def test_an_unknown_login_takes_as_long_as_a_wrong_password(client: Client, catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        account = await accounts.add(tx, f"u{uuid4().hex[:10]}", "n", PasswordHasher().hash(PASSWORD))
    await tried(client, "first")  # makes nobody's hash

    async def seconds(login: str) -> float:
        begun = time.perf_counter()
        await tried(client, login)
        return time.perf_counter() - begun

    # In turns, and the quickest of each: what a busy core adds says nothing of the work.
    taken = [(await seconds(account.login), await seconds(uuid4().hex)) for _ in range(4)]
    known, unknown = map(min, zip(*taken, strict=True))
    assert known / 3 < unknown < known * 3


async def while_signing_in(
    client: Client, catalogue: Catalogue, account: Account, meanwhile: Callable[[Transaction], Awaitable[None]]
) -> httpx.Response:
    """Sign in with the right password while `meanwhile` changes the account, whose lock the sign-in waits for."""
    async with catalogue.transaction() as tx:
        await accounts.lock(tx, account.id)
        task = asyncio.create_task(tried(client, account.login, PASSWORD))
        waiting = text(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        for _ in range(500):
            async with catalogue.transaction() as other:
                if await other.session.scalar(waiting):
                    break
            await asyncio.sleep(0.01)
        await meanwhile(tx)
    return await task


async def test_a_guess_that_was_under_way_when_the_lock_fell_is_refused(
    client: Client, people: People, catalogue: Catalogue, clock: Clock
) -> None:
    account = await people.with_role(Role.teacher)

    async def lock(tx: Transaction) -> None:
        await accounts.save_attempts(tx, account.id, Attempts(5, clock.now + timedelta(minutes=15)))

    answer = await while_signing_in(client, catalogue, account, lock)
    assert (answer.status_code, answer.json()["code"]) == (403, "account_locked")


async def test_an_old_password_that_was_under_way_when_it_was_changed_is_refused(
    client: Client, people: People, catalogue: Catalogue
) -> None:
    account = await people.with_role(Role.teacher)

    async def change(tx: Transaction) -> None:
        await accounts.set_password(tx, account.id, PasswordHasher().hash("Other-password-2"))

    answer = await while_signing_in(client, catalogue, account, change)
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_credentials")


async def test_a_cookie_from_elsewhere_is_never_taken_over(client: Client, people: People) -> None:
    account = await people.with_role(Role.teacher)
    planted = "planted-by-somebody-else"
    headers = {"Cookie": f"{COOKIE}={planted}"}
    answer = await client.post("/api/v1/sign-ins", json={"login": account.login, "password": PASSWORD}, headers=headers)
    assert answer.status_code == 201
    given = answer.cookies[COOKIE]
    assert given != planted
    client.cookies.clear()
    assert (await client.get(CURRENT, headers=headers)).status_code == 401
    again = await tried(client, account.login, PASSWORD)
    assert again.cookies[COOKIE] != given


async def test_the_cookie_goes_with_the_sign_in(client: Client, people: People, resources: Resources) -> None:
    account = await people.with_role(Role.teacher)
    begun = await tried(client, account.login, PASSWORD)
    told = begun.headers["set-cookie"].split("; ")
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax", "Max-Age=86400"} <= set(told)
    assert not any(one.lower().startswith("domain") for one in told)
    client.headers["X-CSRF-Token"] = begun.json()["csrf_token"]
    ended = await client.delete(CURRENT)
    assert "Max-Age=0" in ended.headers["set-cookie"].split("; ")


@pytest.mark.parametrize("origin", ["null", "https://elsewhere.test", "http://lectern.test", f"{ORIGIN}.evil.test", ""])
async def test_no_foreign_page_signs_its_visitor_in(client: Client, people: People, origin: str) -> None:
    account = await people.with_role(Role.teacher)
    body = {"login": account.login, "password": PASSWORD}
    answer = await client.post("/api/v1/sign-ins", json=body, headers={"Origin": origin})
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")
    assert (await client.post("/api/v1/sign-ins", json=body, headers={"Origin": ORIGIN})).status_code == 201


async def test_every_change_needs_the_token_of_this_sign_in_and_its_own_origin(
    resources: Resources, school: School
) -> None:
    async with client_of(resources) as other:
        foreign = (await other.sign_in(school.manager.login))["csrf_token"]
    async with client_of(resources) as browser:
        token = (await browser.sign_in(school.academic.login))["csrf_token"]
        del browser.headers["X-CSRF-Token"]
        changing = [
            (method, path) for method, path, _ in handlers(create_app(resources))
            if method in ("POST", "PATCH", "DELETE", "PUT")
        ]  # fmt: skip
        assert len(changing) > 20
        for method, path in changing:
            for headers in (
                {}, {"X-CSRF-Token": foreign}, {"X-CSRF-Token": token, "Origin": "null"},
                {"X-CSRF-Token": token, "Origin": "https://elsewhere.test"},
            ):  # fmt: skip
                answer = await browser.request(method, address(path), headers=headers)
                assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed"), f"{method} {path}"
        form = {"timetable": "t"}
        sent = await browser.post("/api/v1/timetable-imports", data=form, files={"file": ("t.csv", b"x")})
        assert sent.json()["code"] == "csrf_failed"
        assert (await browser.get(CURRENT)).status_code == 200


async def test_use_makes_a_sign_in_last_and_rest_ends_it(client: Client, people: People, clock: Clock) -> None:
    begun = clock.now
    await client.sign_in((await people.with_role(Role.teacher)).login)
    for hours in (7, 14):
        clock.now = begun + timedelta(hours=hours)
        assert (await client.get(CURRENT)).json()["expires_at"] == _told(clock.now + timedelta(hours=8))
    clock.now += timedelta(hours=8)
    assert (await client.get(CURRENT)).status_code == 401


async def test_no_use_makes_it_last_beyond_its_longest(client: Client, people: People, clock: Clock) -> None:
    begun = clock.now
    await client.sign_in((await people.with_role(Role.teacher)).login)
    for hours in (6, 12, 18, 23):
        clock.now = begun + timedelta(hours=hours)
        assert (await client.get(CURRENT)).status_code == 200
    assert (await client.get(CURRENT)).json()["expires_at"] == _told(begun + timedelta(hours=24))
    clock.now = begun + timedelta(hours=24)
    assert (await client.get(CURRENT)).status_code == 401


async def test_it_is_written_down_at_most_once_a_minute(client: Client, people: People, clock: Clock) -> None:
    first = (await client.sign_in((await people.with_role(Role.teacher)).login))["expires_at"]
    clock.now += timedelta(seconds=59)
    assert (await client.get(CURRENT)).json()["expires_at"] == first
    clock.now += timedelta(seconds=1)
    assert (await client.get(CURRENT)).json()["expires_at"] > first


async def test_what_is_over_is_not_begun_anew_by_being_used(
    client: Client, people: People, resources: Resources, clock: Clock
) -> None:
    account = await people.with_role(Role.teacher)
    await client.sign_in(account.login)
    async with client_of(resources) as other:
        await other.sign_in(account.login)
    clock.now += timedelta(minutes=5)
    for _ in range(2):
        assert (await client.get(CURRENT)).status_code == 401


def _told(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
