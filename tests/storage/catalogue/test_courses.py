"""A course is made by promotion, keeps its parts, and loses its review when it is returned."""

from uuid import UUID

import pytest

from domain.kinds import Audience
from domain.refusals import Refusal
from domain.states import CourseMove, CourseState, RecordingState
from storage.catalogue import courses, recordings
from storage.catalogue.courses import Parts
from storage.catalogue.tables.course import Course
from storage.catalogue.tables.course_chapter import CourseChapter
from storage.catalogue.tables.course_question import CourseQuestion
from storage.catalogue.tables.course_reference import CourseReference
from storage.catalogue.transaction import Catalogue, Transaction
from tests.storage.catalogue.builders import NOON, place, stored_recording

pytestmark = pytest.mark.anyio


async def promoted(tx: Transaction) -> tuple[UUID, Course]:
    at = await place(tx)
    recording = await stored_recording(tx, at)
    course = await courses.promote(
        tx,
        recording.id,
        title="课",
        summary="",
        audience=Audience.open,
        provider_id=at.teacher_id,
        now=NOON,
        version=recording.version,
    )
    return recording.id, course


async def test_a_promoted_recording_is_kept_and_cannot_be_promoted_twice(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        recording_id, course = await promoted(tx)
        assert (await recordings.get(tx, recording_id)).state == RecordingState.promoted
        assert course.state == CourseState.draft
        assert [row.id for row in await courses.of_recording(tx, recording_id)] == [course.id]
        with pytest.raises(Refusal, match="already_promoted"):
            await courses.promote(
                tx,
                recording_id,
                title="",
                summary="",
                audience=Audience.open,
                provider_id=course.provider_id,
                now=NOON,
            )


async def test_a_returned_course_is_reviewed_anew(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        _, made = await promoted(tx)
        course = await courses.lock(tx, made.id, made.version)
        await courses.move(tx, course, CourseMove.submit, NOON)
        await courses.move(tx, course, CourseMove.approve, NOON)
        course.reviewed_by, course.reviewed_at, course.filed_at = course.provider_id, NOON, NOON
        assert courses.reviewable(course).reviewed_at == NOON
        await courses.move(tx, course, CourseMove.return_, NOON)
        returned = courses.reviewable(course)
        assert (returned.reviewed_at, returned.filed_at, returned.state) == (None, None, CourseState.returned)
        with pytest.raises(Refusal, match="move_not_allowed"):
            await courses.move(tx, course, CourseMove.publish, NOON)


async def test_parts_are_replaced_as_a_whole(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        _, course = await promoted(tx)
        await courses.put_parts(
            tx,
            course.id,
            Parts(
                chapters=[CourseChapter(at_ms=60_000, title="二"), CourseChapter(at_ms=0, title="一")],
                questions=[CourseQuestion(position=1, prompt="?", choices=["甲", "乙"], answer=1)],
                references=[CourseReference(position=1, title="书", url="https://example.org")],
            ),
        )
        parts = (await courses.parts(tx, [course.id]))[course.id]
        assert [chapter.title for chapter in parts.chapters] == ["一", "二"]
        assert (parts.questions[0].choices, parts.references[0].title) == (["甲", "乙"], "书")
        await courses.put_parts(tx, course.id, Parts(chapters=[CourseChapter(at_ms=0, title="全")]))
        parts = (await courses.parts(tx, [course.id]))[course.id]
        assert ([chapter.title for chapter in parts.chapters], parts.questions, parts.references) == (["全"], [], [])
