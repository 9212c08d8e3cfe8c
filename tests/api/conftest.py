"""How to test the API: `client` speaks to the whole application over the real stores of this test.

`people` makes accounts; `client.sign_in(account)` signs in and keeps cookie and CSRF token. The clock is `clock.now`,
set by the test, never slept for. The origin is https, since cookies are Secure.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, cast
from uuid import uuid4

import httpx
import pytest
import redis
from argon2 import PasswordHasher
from litestar import Litestar
from redis.asyncio import Redis

from api.app import create_app
from api.resources import ApiKeys, Resources
from api.settings import ApiSettings
from domain.kinds import Role, ScopeKind
from domain.permissions import Grant
from storage.catalogue import accounts, institute
from storage.catalogue.tables.account import Account
from storage.catalogue.transaction import Catalogue
from storage.embedded import valkey as embedded_valkey
from storage.objects.store import ObjectStore
from tests.storage.catalogue import builders

ORIGIN = "https://lectern.test"
PASSWORD = "Chalk-and-board-7"
# Cheap on purpose: tests sign in hundreds of times.
_hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass(eq=False)
class Clock:
    """The time that the application sees."""

    now: datetime = field(default=datetime(2026, 9, 14, 0, 30, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now


class Client(httpx.AsyncClient):
    """An HTTP client that signs in and sends the CSRF token as the pages do."""

    async def sign_in(self, login: str, password: str = PASSWORD) -> dict[str, Any]:
        """Sign in; the answer's body."""
        answer = await self.post("/api/v1/sign-ins", json={"login": login, "password": password})
        assert answer.status_code == 201, answer.text
        body: dict[str, Any] = answer.json()
        self.headers["X-CSRF-Token"] = body["csrf_token"]
        return body


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def resources(
    catalogue: Catalogue, valkey: embedded_valkey.Running, valkey_connection: "redis.Redis",
    object_store: ObjectStore, clock: Clock,
) -> AsyncIterator[Resources]:  # fmt: skip
    keys = ApiKeys(playback=b"p" * 32, ingest=b"i" * 32, control=b"c" * 32, csrf=b"f" * 32)
    queue = Redis.from_url(valkey.url)
    async with httpx.AsyncClient() as http:
        yield Resources(ApiSettings(public_url=ORIGIN), catalogue, object_store, queue, http, keys, clock)
    await queue.aclose()


@pytest.fixture
async def client(resources: Resources) -> AsyncIterator[Client]:
    """A stranger's client; more of them by `client_of`."""
    async with client_of(resources) as made:
        yield made


def client_of(resources: Resources) -> Client:
    """Another browser: its own cookies, the same application."""
    return Client(transport=httpx.ASGITransport(cast(Any, _application(resources))), base_url=ORIGIN)


@lru_cache(maxsize=1)
def _application(resources: Resources) -> Litestar:
    """The application of this test, made once: 50 ms, for up to a dozen browsers."""
    return create_app(resources)


@dataclass(frozen=True)
class People:
    """Makes accounts in this test's catalogue; all share one password."""

    catalogue: Catalogue
    clock: Clock

    async def add(self, *grants: Grant, name: str = "李老师") -> Account:
        """An account with these grants."""
        async with self.catalogue.transaction() as tx:
            account = await accounts.add(tx, f"u{uuid4().hex[:10]}", name, _hasher.hash(PASSWORD))
            for grant in grants:
                await accounts.grant(tx, account.id, grant, None, self.clock.now)
        return account

    async def with_role(self, role: Role) -> Account:
        """An account with one role for the whole institute."""
        return await self.add(Grant(role, ScopeKind.institute), name=role.value)


@pytest.fixture
def people(catalogue: Catalogue, clock: Clock) -> People:
    return People(catalogue, clock)


@dataclass(frozen=True)
class School:
    """A department with a programme, a cohort, and people: who teaches, who learns, who runs it."""

    place: builders.Place
    teacher: Account
    learner: Account
    stranger: Account
    academic: Account
    manager: Account
    publicity: Account


@pytest.fixture
async def school(people: People, catalogue: Catalogue) -> School:
    """One school; `place.teacher_id` is its teacher, who holds the role everywhere but acts only on what is own."""
    teacher = await people.with_role(Role.teacher)
    learner, stranger = await people.add(name="王同学"), await people.with_role(Role.learner)
    async with catalogue.transaction() as tx:
        made = await builders.place(tx, f"s{uuid4().hex[:8]}")
        await institute.enrol(tx, made.cohort_id, [learner.id])
    place = replace(made, teacher_id=teacher.id, learner_id=learner.id)
    return School(
        place, teacher, learner, stranger,
        academic=await people.with_role(Role.academic_affairs),
        manager=await people.add(Grant(Role.department_manager, ScopeKind.department, place.scope.department_id)),
        publicity=await people.with_role(Role.publicity_office),
    )  # fmt: skip
