"""Imports that meet: of one timetable they queue, of two they never book one room twice."""

import asyncio
from collections import Counter

import pytest

from domain.refusals import Refusal
from tests.teaching.conftest import School, csv_of

pytestmark = pytest.mark.anyio

ROWS = [f"{day},2026-09-{day},08:00,09:40,教育学,li,A101," for day in range(14, 19)]


async def test_two_imports_of_one_file_make_it_once(school: School) -> None:
    reports = await asyncio.gather(*(school.take(csv_of(*ROWS)) for _ in range(3)))
    assert sorted(one["created"] for one in reports) == [0, 0, 5]
    assert sorted(one["unchanged"] for one in reports) == [0, 5, 5]
    assert len(await school.sessions()) == 5


async def test_two_timetables_that_want_one_room_get_it_once(school: School) -> None:
    other = await school.other_timetable("two")
    wanted = [row.replace(",li,", ",wang,") for row in ROWS]
    answers = await asyncio.gather(
        school.take(csv_of(*ROWS)), school.take(csv_of(*wanted), other), return_exceptions=True
    )
    for answer in answers:
        if isinstance(answer, BaseException):
            # Both had looked before either booked: the constraint told the later one, and nothing of it was done.
            assert isinstance(answer, Refusal)
            assert answer.code == "slot_taken"
        else:
            assert answer["created"] + len(answer["rejected"]) == 5
    taken = Counter(one.starts_at for one in await school.sessions())
    assert taken
    assert set(taken.values()) == {1}
