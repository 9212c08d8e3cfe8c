"""How to test imports: `school` has one timetable of one cohort and two teachers, in this test's own catalogue.

`school.take(data)` reads a file and imports it, as the API does; the instant is `school.now`, set by the test.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from domain.kinds import Role, ScopeKind
from domain.permissions import Grant
from storage.catalogue import accounts, institute, timetables
from storage.catalogue.tables.booking import Booking
from storage.catalogue.tables.session import Session
from storage.catalogue.transaction import Actor, Catalogue
from teaching.settings import TeachingSettings
from teaching.timetable_file import read_timetable
from teaching.timetable_import import SourceFile, import_rows

NOW = datetime(2026, 9, 1, tzinfo=UTC)
HEADER = "编号,日期,开始,结束,课程,教师,教室,状态"


def csv_of(*rows: str, header: str = HEADER) -> bytes:
    """A CSV file; a row as in `1,2026-09-14,08:00,09:40,教育学,li,A101,`."""
    return "\r\n".join((header, *rows, "")).encode()


def event(*lines: str, uid: str = "a@x", at: str = "DTSTART;TZID=Asia/Shanghai:20260914T080000") -> str:
    """A VEVENT of 100 minutes; `lines` come on top."""
    own = {_name(line) for line in lines}
    own |= {"DURATION"} if "DTEND" in own else set()
    usual = (f"UID:{uid}", at, "DURATION:PT1H40M", "SUMMARY:教育学", "LOCATION:A101", "X-LECTERN-INSTRUCTOR:li")
    kept = [line for line in usual if line and _name(line) not in own]
    return "\r\n".join(("BEGIN:VEVENT", *kept, *lines, "END:VEVENT", ""))


def _name(line: str) -> str:
    return line.partition(":")[0].partition(";")[0]


def calendar(*events: str) -> bytes:
    """A VCALENDAR of them."""
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//\r\n{''.join(events)}END:VCALENDAR\r\n".encode()


@dataclass
class School:
    """A timetable, and the catalogue it is in."""

    catalogue: Catalogue
    timetable_id: UUID
    cohort_id: UUID
    teachers: dict[str, UUID]
    settings: TeachingSettings = field(default_factory=TeachingSettings)
    now: datetime = NOW

    async def take(self, data: bytes, timetable_id: UUID | None = None) -> dict[str, Any]:
        """Import a file; its report."""
        reading = read_timetable(data, self.settings, self.now)
        source = SourceFile("课表.csv", data, Actor.system("test"))
        async with self.catalogue.transaction() as tx:
            return (await import_rows(tx, timetable_id or self.timetable_id, reading, source, self.now)).report

    async def sessions(self) -> list[Session]:
        """All sessions, by their start and title."""
        async with self.catalogue.transaction() as tx:
            return list((await tx.session.scalars(select(Session).order_by(Session.starts_at, Session.title))).all())

    async def booked(self, session_ids: Iterable[UUID]) -> set[tuple[str, str]]:
        """What these sessions keep others from: (kind, resource)."""
        async with self.catalogue.transaction() as tx:
            chosen = Booking.session_id.in_(list(session_ids)), Booking.active
            return {(row.kind.value, row.resource) for row in await tx.session.scalars(select(Booking).where(*chosen))}

    async def other_timetable(self, slug: str) -> UUID:
        """A timetable of another cohort of the same programme."""
        async with self.catalogue.transaction() as tx:
            mine = await timetables.lock(tx, self.timetable_id)
            assert mine.programme_id is not None
            cohort = await institute.put_cohort(tx, mine.programme_id, slug, slug)
            return (await timetables.put(tx, slug, slug, programme_id=mine.programme_id, cohort_id=cohort.id)).id


@pytest.fixture
async def school(catalogue: Catalogue) -> School:
    async with catalogue.transaction() as tx:
        department = await institute.put_department(tx, "office", "教务处", "Office")
        module = await institute.put_module(tx, "city", 1, "市级培训", "City training", department.id)
        programme = await institute.put_programme(tx, "skills", "教学技能", module.id)
        cohort = await institute.put_cohort(tx, programme.id, "one", "一班")
        timetable = await timetables.put(tx, "skills-one", "课表", programme_id=programme.id, cohort_id=cohort.id)
        teachers = {}
        for login in ("li", "wang"):
            account = await accounts.add(tx, login, f"{login}老师", None)
            await accounts.grant(tx, account.id, Grant(Role.teacher, ScopeKind.institute), None, NOW)
            teachers[login] = account.id
        learner = await accounts.add(tx, "xue", "学员", None)
        await accounts.grant(tx, learner.id, Grant(Role.learner, ScopeKind.institute), None, NOW)
    return School(catalogue, timetable.id, cohort.id, teachers)
