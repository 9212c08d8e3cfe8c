"""Accounts and roles over HTTP, by the three administrators who are kept apart."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from api.resources import Resources
from domain.kinds import Role, ScopeKind
from domain.permissions import Grant
from storage.catalogue import accounts
from storage.catalogue.tables.audit_entry import AuditEntry
from storage.catalogue.transaction import Catalogue
from tests.api.conftest import PASSWORD, Client, People, client_of

pytestmark = pytest.mark.anyio

NEW = {"login": "Zhang.San", "display_name": "张三", "password": "Lamp-and-desk-9"}


async def signed_in(client: Client, people: People, role: Role) -> Client:
    await client.sign_in((await people.with_role(role)).login)
    return client


async def test_an_account_is_made_and_its_person_signs_in(client: Client, people: People, resources: Resources) -> None:
    await signed_in(client, people, Role.system_administrator)
    made = await client.post("/api/v1/accounts", json=NEW)
    assert made.status_code == 201, made.text
    shape = made.json()
    assert (shape["login"], shape["display_name"], shape["has_password"]) == ("zhang.san", "张三", True)
    assert (shape["grants"], shape["may"]) == ([], ["account_manage"])
    assert "password" not in made.text.replace("has_password", "")
    async with client_of(resources) as person:
        assert await person.sign_in("ZHANG.SAN", "Lamp-and-desk-9")
    assert (await client.get(f"/api/v1/accounts/{shape['id']}")).json()["id"] == shape["id"]


async def test_a_taken_login_a_weak_password_and_a_strange_login_are_refused(client: Client, people: People) -> None:
    await signed_in(client, people, Role.system_administrator)
    await client.post("/api/v1/accounts", json=NEW)
    taken = (await client.post("/api/v1/accounts", json=NEW)).json()
    assert (taken["code"], taken["facts"]) == ("invalid_input", {"field": "login", "reason": "taken"})
    weak = await client.post("/api/v1/accounts", json={**NEW, "login": "li.si", "password": "1234567890"})
    assert (weak.status_code, weak.json()["code"]) == (422, "password_too_weak")
    for login in ("a", "two words", "a/b", "x" * 65, "a@b@c"):
        strange = await client.post("/api/v1/accounts", json={**NEW, "login": login})
        assert (strange.status_code, strange.json()["code"]) == (400, "invalid_input")


async def test_two_at_once_make_one_account(client: Client, people: People) -> None:
    await signed_in(client, people, Role.system_administrator)
    answers = await asyncio.gather(*(client.post("/api/v1/accounts", json=NEW) for _ in range(4)))
    assert sorted(one.status_code for one in answers) == [201, 400, 400, 400]


async def test_a_new_password_ends_the_sign_in(client: Client, people: People, resources: Resources) -> None:
    await signed_in(client, people, Role.system_administrator)
    teacher = await people.with_role(Role.teacher)
    async with client_of(resources) as person:
        await person.sign_in(teacher.login)
        path = f"/api/v1/accounts/{teacher.id}/password"
        assert (await client.post(path, json={"password": "short"})).json()["code"] == "password_too_weak"
        assert (await person.get("/api/v1/sign-ins/current")).status_code == 200
        assert (await client.post(path, json={"password": "Globe-and-atlas-3"})).status_code == 204
        assert (await person.get("/api/v1/sign-ins/current")).status_code == 401
        old = await person.post("/api/v1/sign-ins", json={"login": teacher.login, "password": PASSWORD})
        assert old.json()["code"] == "bad_credentials"
        assert await person.sign_in(teacher.login, "Globe-and-atlas-3")
    lost = await client.post(f"/api/v1/accounts/{uuid4()}/password", json={"password": "Globe-and-atlas-3"})
    assert (lost.status_code, lost.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("watcher", [Role.security_administrator, Role.auditor])
async def test_a_system_administrator_does_not_sign_in_as_those_who_watch_him(
    client: Client, people: People, resources: Resources, watcher: Role
) -> None:
    await signed_in(client, people, Role.system_administrator)
    account = await people.with_role(watcher)
    path = f"/api/v1/accounts/{account.id}"
    assert (await client.get(path)).json()["may"] == []
    async with client_of(resources) as person:
        await person.sign_in(account.login)
        for password in ("Globe-and-atlas-3", "short"):
            refused = await client.post(f"{path}/password", json={"password": password})
            assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted")
            assert refused.json()["facts"] == {"action": "account_manage", "why": "separated_duties"}
        assert (await person.get("/api/v1/sign-ins/current")).status_code == 200
        assert await person.sign_in(account.login, PASSWORD)
    for method, rest, body in (
        ("POST", "/disable", {"reason": "x"}),
        ("POST", "/grants", {"role": "inspector"}),
        ("DELETE", "/grants/auditor", None),
    ):
        assert (await client.request(method, f"{path}{rest}", json=body)).status_code == 403


async def test_a_password_is_not_set_while_its_person_becomes_an_auditor(
    client: Client, people: People, resources: Resources, catalogue: Catalogue
) -> None:
    """The grant waits uncommitted; the password's route waits for its row, and then sees it."""
    await signed_in(client, people, Role.system_administrator)
    person = await people.add()
    async with catalogue.transaction() as tx:
        await accounts.lock(tx, person.id)
        await accounts.grant(tx, person.id, Grant(Role.auditor, ScopeKind.institute), None, resources.clock())
        path = f"/api/v1/accounts/{person.id}/password"
        asked = asyncio.create_task(client.post(path, json={"password": "Globe-and-atlas-3"}))
        done, _ = await asyncio.wait([asked], timeout=0.3)
        assert not done
    assert (await asked).status_code == 403


async def test_a_disabled_account_is_out_at_once_and_may_come_back(
    client: Client, people: People, resources: Resources
) -> None:
    own = await people.with_role(Role.security_administrator)
    await client.sign_in(own.login)
    teacher = await people.with_role(Role.teacher)
    async with client_of(resources) as person:
        await person.sign_in(teacher.login)
        disabled = await client.post(f"/api/v1/accounts/{teacher.id}/disable", json={"reason": "离职"})
        assert (disabled.status_code, disabled.json()["disabled_at"]) == (200, "2026-09-14T00:30:00Z")
        assert (await person.get("/api/v1/sign-ins/current")).status_code == 401
        refused = await person.post("/api/v1/sign-ins", json={"login": teacher.login, "password": PASSWORD})
        assert refused.json()["code"] == "account_disabled"
        await client.post(f"/api/v1/accounts/{teacher.id}/enable", json={"reason": "返聘"})
        assert await person.sign_in(teacher.login)
    mine = await client.post(f"/api/v1/accounts/{own.id}/disable", json={"reason": "x"})
    assert (mine.status_code, mine.json()["code"]) == (403, "not_permitted")
    assert (await client.get("/api/v1/sign-ins/current")).status_code == 200


async def test_roles_are_given_and_taken_as_the_rules_allow(client: Client, people: People) -> None:
    own = await people.with_role(Role.security_administrator)
    await client.sign_in(own.login)
    person = await people.add()
    path = f"/api/v1/accounts/{person.id}/grants"

    async def give(to: str, role: Role, **scope: Any) -> Any:
        return (await client.post(to, json={"role": role, **scope})).json()

    assert (await give(path, Role.auditor))["grants"] == [
        {"role": "auditor", "scope_kind": "institute", "scope_id": None}
    ]
    assert len((await give(path, Role.auditor))["grants"]) == 1
    assert (await give(path, Role.system_administrator))["code"] == "roles_conflict"
    assert (await give(path, Role.teacher))["code"] == "not_permitted"
    assert (await give(f"/api/v1/accounts/{own.id}/grants", Role.inspector))["code"] == "self_grant"
    nowhere = str(uuid4())
    assert (await give(path, Role.inspector, scope_kind="department", scope_id=nowhere))["code"] == "scope_not_allowed"
    assert (await client.delete(f"{path}/auditor")).status_code == 204
    assert (await client.delete(f"{path}/auditor")).json()["code"] == "not_found"
    assert (await client.delete(f"/api/v1/accounts/{own.id}/grants/security_administrator")).json()["code"] == (
        "self_grant"
    )
    assert (await client.delete(f"{path}/headmaster")).status_code == 400


async def test_academic_affairs_gives_the_roles_of_teaching_over_places_that_exist(
    client: Client, people: People
) -> None:
    await signed_in(client, people, Role.academic_affairs)
    person = await people.add()
    path = f"/api/v1/accounts/{person.id}/grants"
    lost = {"role": "programme_lead", "scope_kind": "programme", "scope_id": str(uuid4())}
    assert (await client.post(path, json=lost)).json()["code"] == "not_found"
    assert (await client.post(path, json={"role": "teacher"})).status_code == 201
    assert (await client.post(path, json={"role": "auditor"})).json()["code"] == "not_permitted"


async def test_two_administrators_cannot_give_two_roles_that_exclude_each_other(
    client: Client, people: People, resources: Resources
) -> None:
    person = await people.add()
    async with client_of(resources) as other:
        for each in (client, other):
            await signed_in(each, people, Role.security_administrator)
        path = f"/api/v1/accounts/{person.id}/grants"
        answers = await asyncio.gather(
            client.post(path, json={"role": "auditor"}), other.post(path, json={"role": "system_administrator"})
        )
    assert sorted(one.status_code for one in answers) == [201, 409]


async def test_accounts_are_listed_by_page_and_found_by_name(client: Client, people: People) -> None:
    await signed_in(client, people, Role.auditor)
    for name in ("张一", "张二", "王五"):
        await people.add(name=name)
    first = (await client.get("/api/v1/accounts", params={"q": "张", "limit": 1})).json()
    second = (await client.get("/api/v1/accounts", params={"q": "张", "cursor": first["next_cursor"]})).json()
    assert [one["display_name"] for one in (*first["items"], *second["items"])] == ["张一", "张二"]
    assert second["next_cursor"] is None
    assert all(one["may"] == [] for one in first["items"])
    assert (await client.get("/api/v1/accounts?cursor=nonsense")).status_code == 400


async def test_every_act_is_in_the_trail_and_no_password_is(
    client: Client, people: People, catalogue: Catalogue
) -> None:
    admin = await people.with_role(Role.system_administrator)
    await client.sign_in(admin.login)
    made = (await client.post("/api/v1/accounts", json=NEW)).json()
    await client.post(f"/api/v1/accounts/{made['id']}/password", json={"password": "Globe-and-atlas-3"})
    async with catalogue.transaction() as tx:
        chosen = AuditEntry.item_id == made["id"]
        trail = (await tx.session.scalars(select(AuditEntry).where(chosen).order_by(AuditEntry.id))).all()
        stored = await accounts.by_login(tx, "zhang.san")
    assert [(one.action, one.actor_id) for one in trail] == [
        ("account_added", admin.id), ("password_set", admin.id),
    ]  # fmt: skip
    assert not any("Globe" in str(one.details) or "Lamp" in str(one.details) for one in trail)
    assert stored is not None
    assert str(stored.password_hash).startswith("$argon2id$")
