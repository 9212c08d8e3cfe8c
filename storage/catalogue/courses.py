"""Courses: made by promoting a recording, then reviewed, filed and published. Whoever changes one holds its lock."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, select

from domain.facts import RecordingPromoted
from domain.kinds import Audience
from domain.permissions import Reach, Scope
from domain.retention import require_promotable
from domain.review import Reviewable
from domain.states import COURSE, CourseMove, CourseState, RecordingMove
from storage.catalogue import recordings, retention
from storage.catalogue.paging import PAGE, Order, Page, page_of
from storage.catalogue.reaches import branches_of
from storage.catalogue.rows import found, locked
from storage.catalogue.tables.course import Course
from storage.catalogue.tables.course_chapter import CourseChapter
from storage.catalogue.tables.course_question import CourseQuestion
from storage.catalogue.tables.course_reference import CourseReference
from storage.catalogue.transaction import Transaction

ORDER = Order(Course.created_at, Course.id)


@dataclass(frozen=True, slots=True)
class Window:
    """One way in which courses are seen: those in these states, within this reach, of this audience (None: any)."""

    states: frozenset[CourseState]
    reach: Reach
    audience: Audience | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """What a course has beside its video."""

    chapters: list[CourseChapter] = field(default_factory=list)
    questions: list[CourseQuestion] = field(default_factory=list)
    references: list[CourseReference] = field(default_factory=list)


async def promote(
    tx: Transaction,
    recording_id: UUID,
    *,
    title: str,
    summary: str,
    audience: Audience,
    provider_id: UUID,
    now: datetime,
    version: int | None = None,
) -> Course:
    """Makes a draft course of a recording, which is kept from now on. Locks it, so that a purge cannot win too.

    Refusals: not_found, stale_version, already_promoted, already_purged, move_not_allowed.
    """
    recording = await recordings.lock(tx, recording_id, version)
    require_promotable(await retention.holding(tx, recording))
    await recordings.move(tx, recording, RecordingMove.promote)
    course = Course(
        recording_id=recording.id,
        title=title,
        summary=summary,
        provider_id=provider_id,
        programme_id=recording.programme_id,
        department_id=recording.department_id,
        audience=audience,
        state=COURSE.initial,
        created_at=now,
    )
    tx.session.add(course)
    await tx.session.flush()
    await tx.fact(RecordingPromoted(recording_id=recording.id, course_id=course.id))
    return course


async def get(tx: Transaction, course_id: UUID) -> Course:
    """The course, or Refusal("not_found")."""
    return await found(tx, Course, course_id)


async def lock(tx: Transaction, course_id: UUID, version: int | None = None) -> Course:
    """The course, locked to the transaction's end; Refusal("stale_version") where it is not at `version`."""
    return await locked(tx, Course, course_id, version)


async def of_recording(tx: Transaction, recording_id: UUID) -> Sequence[Course]:
    """The courses made of a recording, the newest first."""
    statement = select(Course).where(Course.recording_id == recording_id).order_by(Course.created_at.desc())
    return (await tx.session.scalars(statement)).all()


async def newest_of(tx: Transaction, recording_ids: Collection[UUID]) -> dict[UUID, Course]:
    """The newest course of each recording of a page; one without any has no entry."""
    if not recording_ids:
        return {}
    statement = select(Course).where(Course.recording_id.in_(recording_ids)).order_by(Course.created_at, Course.id)
    return {one.recording_id: one for one in await tx.session.scalars(statement)}


async def listing(
    tx: Transaction,
    windows: Iterable[Window],
    account_id: UUID,
    *,
    states: Collection[CourseState] = (),
    cursor: str | None = None,
    limit: int = PAGE,
) -> Page[Course]:
    """Courses that are seen through one of the windows, the newest first; `domain.release` says which windows."""
    branches = [branch for window in windows for branch in _through(window, account_id)]
    where = [Course.state.in_(states)] if states else []
    return await page_of(tx, Course, ORDER, where=where, branches=branches, cursor=cursor, limit=limit)


async def move(tx: Transaction, course: Course, step: CourseMove, now: datetime) -> CourseState:
    """Moves a locked course; Refusal("move_not_allowed"). What was reviewed or filed before a return counts no more."""
    course.state = COURSE.move(course.state, step)
    if step == CourseMove.publish:
        course.published_at = now
    elif step in (CourseMove.submit, CourseMove.return_, CourseMove.revise):
        course.reviewed_by = course.reviewed_at = course.filed_by = course.filed_at = None
        course.published_at = None
    await tx.session.flush()
    return course.state


async def parts(tx: Transaction, course_ids: Collection[UUID]) -> dict[UUID, Parts]:
    """Chapters, questions and references of a page of courses; each has an entry."""
    found_parts = {course_id: Parts() for course_id in course_ids}
    ids = list(found_parts)
    chapters = select(CourseChapter).where(CourseChapter.course_id.in_(ids)).order_by(CourseChapter.at_ms)
    for chapter in await tx.session.scalars(chapters):
        found_parts[chapter.course_id].chapters.append(chapter)
    questions = select(CourseQuestion).where(CourseQuestion.course_id.in_(ids)).order_by(CourseQuestion.position)
    for question in await tx.session.scalars(questions):
        found_parts[question.course_id].questions.append(question)
    references = select(CourseReference).where(CourseReference.course_id.in_(ids)).order_by(CourseReference.position)
    for reference in await tx.session.scalars(references):
        found_parts[reference.course_id].references.append(reference)
    return found_parts


async def put_parts(tx: Transaction, course_id: UUID, new: Parts) -> None:
    """Replaces what the locked course has beside its video; the given rows need no course id yet."""
    await tx.session.execute(delete(CourseChapter).where(CourseChapter.course_id == course_id))
    await tx.session.execute(delete(CourseQuestion).where(CourseQuestion.course_id == course_id))
    await tx.session.execute(delete(CourseReference).where(CourseReference.course_id == course_id))
    rows: list[CourseChapter | CourseQuestion | CourseReference]
    rows = [*new.chapters, *new.questions, *new.references]
    for row in rows:
        row.course_id = course_id
        tx.session.add(row)
    await tx.session.flush()


def reviewable(course: Course) -> Reviewable:
    """The course as `domain.review` asks about it."""
    scope = Scope(department_id=course.department_id, programme_id=course.programme_id)
    return Reviewable(course.state, course.audience, course.provider_id, scope, course.reviewed_at, course.filed_at)


def _through(window: Window, account_id: UUID) -> list[ColumnElement[bool]]:
    ways = branches_of(
        window.reach,
        department_id=Course.department_id,
        programme_id=Course.programme_id,
        own=[Course.provider_id == account_id],
    )
    beside: list[ColumnElement[bool]] = []
    if window.audience is not None:
        beside.append(Course.audience == window.audience)
    if ways is None:
        return [and_(Course.state == state, *beside) for state in sorted(window.states)]
    return [and_(way, Course.state.in_(sorted(window.states)), *beside) for way in ways]
