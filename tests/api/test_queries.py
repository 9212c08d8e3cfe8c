"""How many queries an answer costs: the same for a page of fifty as for a page of one."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from domain.kinds import Audience, Role
from domain.states import CourseState
from storage.catalogue import courses, holds
from storage.catalogue.transaction import Catalogue
from tests.api.conftest import Client, Clock, People, School
from tests.storage.catalogue import builders

pytestmark = pytest.mark.anyio

PAGE = 50


@contextmanager
def counted(catalogue: Catalogue) -> Iterator[list[str]]:
    """The statements that are sent within."""
    sent: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    event.listen(catalogue.engine.sync_engine, "before_cursor_execute", note)
    yield sent
    event.remove(catalogue.engine.sync_engine, "before_cursor_execute", note)


async def test_a_page_of_recordings(client: Client, school: School, catalogue: Catalogue, clock: Clock) -> None:
    async with catalogue.transaction() as tx:
        for number in range(PAGE + 1):
            one = await builders.stored_recording(tx, school.place, clock.now - timedelta(days=number))
            if number % 2:
                await holds.place(tx, one.id, "r", school.manager.id, clock.now)
                course = await courses.promote(
                    tx, one.id, title="t", summary="", audience=Audience.open, provider_id=school.teacher.id,
                    now=clock.now,
                )  # fmt: skip
                course.state = CourseState.published
    for person in (school.teacher, school.manager, school.learner):
        await client.sign_in(person.login)
        for path, most in (("recordings", 12), ("sessions", 9)):
            with counted(catalogue) as sent:
                page = (await client.get(f"/api/v1/{path}?limit={PAGE}")).json()
            assert len(page["items"]) == PAGE
            assert len(sent) <= most, sent
        with counted(catalogue) as sent:
            assert len((await client.get("/api/v1/courses?limit=20")).json()["items"]) == 20
        assert len(sent) <= 12, sent
    await client.sign_in(school.teacher.login)
    shown = (await client.get("/api/v1/recordings")).json()["items"]
    assert sum(one["course_id"] is not None for one in shown) == PAGE // 2


async def test_a_page_of_accounts_and_ones_own_sign_in(client: Client, people: People, catalogue: Catalogue) -> None:
    for _ in range(PAGE):
        await people.with_role(Role.teacher)
    await client.sign_in((await people.with_role(Role.system_administrator)).login)
    with counted(catalogue) as sent:
        assert len((await client.get("/api/v1/accounts")).json()["items"]) == PAGE
    assert len(sent) <= 6, sent
    with counted(catalogue) as sent:
        assert (await client.get("/api/v1/sign-ins/current")).status_code == 200
    assert len(sent) <= 3, sent


async def test_a_page_that_asks_nobody_costs_none(client: Client, school: School, catalogue: Catalogue) -> None:
    await client.sign_in(school.teacher.login)
    with counted(catalogue) as sent:
        await client.get("/")
        await client.get("/healthz")
    assert sent == []
