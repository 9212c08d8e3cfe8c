"""What people do with courses: see, write, hand in, review, file, publish, play."""

from collections.abc import Mapping, Sequence
from typing import Literal
from uuid import UUID

import msgspec

from api.courses.schemas import (
    ChapterShape,
    CourseChange,
    CourseShape,
    QuestionShape,
    ReferenceShape,
    ReviewGiven,
    StepShape,
)
from api.permit import grants_of, reach_of, require_for
from api.resources import Resources
from api.shapes import Person, Place
from api.versions import Seen
from domain.kinds import Audience, Role
from domain.permissions import Action, Reach, Scope, actions, may_anywhere, reach, roster_grants
from domain.refusals import Refusal, RefusalCode
from domain.release import CourseFacts, may_see_course, require_see_course
from domain.review import may_file, may_review, require_filer, require_publishable, require_reviewer
from domain.states import CourseMove, CourseState
from storage.catalogue import accounts, audit, courses, institute, recordings
from storage.catalogue.courses import Parts, Window
from storage.catalogue.sign_ins import Known
from storage.catalogue.tables.audit_entry import AuditEntry
from storage.catalogue.tables.course import Course
from storage.catalogue.tables.course_chapter import CourseChapter
from storage.catalogue.tables.course_question import CourseQuestion
from storage.catalogue.tables.course_reference import CourseReference
from storage.catalogue.transaction import Actor, Transaction

SHOWN_ACTIONS = (
    Action.course_play, Action.course_edit, Action.course_review, Action.course_file, Action.course_publish,
)  # fmt: skip
STEPS: dict[str, Literal["submission", "review", "filing", "publication"]] = {
    "course_submitted": "submission",
    "course_reviewed": "review",
    "course_filed": "filing",
    "course_published": "publication",
}
"""What the audit trail calls each step of a course's way."""
EDITABLE = (CourseState.draft, CourseState.returned)


def facts_of(course: Course) -> CourseFacts:
    """The course as `domain.release` asks about it."""
    return CourseFacts(course.state, course.audience, course.provider_id, scope_of(course))


def scope_of(course: Course) -> Scope:
    """Where a course stands, as permissions ask."""
    return Scope(course.department_id, course.programme_id)


def windows(known: Known) -> list[Window]:
    """The ways in which this account sees courses; each found course is judged by `domain.release` again."""
    all_states, published = frozenset(CourseState), frozenset({CourseState.published})
    found = [
        Window(all_states, reach_of(known, duty))
        for duty in (Action.course_edit, Action.course_review, Action.course_file)
    ]
    if may_anywhere(grants_of(known), Action.course_play):
        found.append(Window(published, Reach(everywhere=True), Audience.open))
        found.append(Window(published, _scoped_audience(known), Audience.scoped))
    return found


async def visible(tx: Transaction, known: Known, course_id: UUID) -> Course:
    """The course; Refusal("not_found") for whoever may not see it."""
    course = await courses.get(tx, course_id)
    require_see_course(known.viewer(), facts_of(course))
    return course


def is_visible(known: Known, course: Course) -> bool:
    """Whether this account sees the course."""
    return may_see_course(known.viewer(), facts_of(course))


def allowed(known: Known, course: Course) -> list[Action]:
    """What the account may do to the course: what it is shown, and what a route then takes from it.

    Review and filing are more than the table's word: `domain.review` says whose they are, by the course's audience.
    """
    grants, own = grants_of(known), course.provider_id == known.account.id
    found = actions(grants, scope_of(course), own, SHOWN_ACTIONS)
    decided = {
        Action.course_play: is_visible(known, course),
        Action.course_review: may_review(courses.reviewable(course), known.account.id, grants),
        Action.course_file: may_file(courses.reviewable(course), grants),
    }
    return [one for one in SHOWN_ACTIONS if decided.get(one, one in found)]


async def shapes(tx: Transaction, known: Known, found: Sequence[Course]) -> list[CourseShape]:
    """Courses as they are shown to this account."""
    parts = await courses.parts(tx, [one.id for one in found])
    made_of = await recordings.by_id(tx, [one.recording_id for one in found])
    people = await accounts.by_id(tx, {one.provider_id for one in found})
    programmes = await institute.programmes_by_id(tx, {one.programme_id for one in found if one.programme_id})
    concerned = [one.id for one in found if set(allowed(known, one)) - {Action.course_play}]
    steps = _steps(await audit.newest(tx, "course", concerned, STEPS))
    return [
        CourseShape(
            id=one.id, recording_id=one.recording_id, title=one.title, summary=one.summary, audience=one.audience,
            state=one.state, provider=Person(one.provider_id, people[one.provider_id].display_name),
            programme=Place(one.programme_id, programmes[one.programme_id].title) if one.programme_id else None,
            duration_ms=made_of[one.recording_id].duration_ms,
            poster_url=f"/api/v1/courses/{one.id}/poster" if made_of[one.recording_id].poster_key else None,
            chapters=[ChapterShape(part.at_ms, part.title) for part in parts[one.id].chapters],
            questions=[QuestionShape(part.prompt, list(part.choices)) for part in parts[one.id].questions],
            references=[ReferenceShape(part.title, part.url) for part in parts[one.id].references],
            reviewed_at=one.reviewed_at, review_note=one.review_note, filed_at=one.filed_at,
            published_at=one.published_at, steps=steps.get(one.id, []), version=one.version,
            may=allowed(known, one),
        )
        for one in found
    ]  # fmt: skip


async def change(
    tx: Transaction, known: Known, actor: Actor, course_id: UUID, wanted: CourseChange, seen: Seen
) -> Course:
    """Write the course; what is in review or beyond is not changed any more."""
    course = await _locked(tx, known, course_id, Action.course_edit, seen)
    if course.state not in EDITABLE:
        raise Refusal(RefusalCode.move_not_allowed, machine="course", state=course.state, move="edit")
    for name in ("title", "summary", "audience"):
        if (value := getattr(wanted, name)) is not msgspec.UNSET:
            setattr(course, name, value)
    parts = (await courses.parts(tx, [course.id]))[course.id]
    await courses.put_parts(tx, course.id, _parts(parts, wanted))
    await tx.session.flush()
    await tx.audit(actor, "course_changed", "course", course.id)
    return course


async def submit(tx: Transaction, resources: Resources, known: Known, actor: Actor, course_id: UUID) -> Course:
    """Hand it in for review."""
    course = await _locked(tx, known, course_id, Action.course_edit)
    await courses.move(tx, course, CourseMove.submit, resources.clock())
    await tx.audit(actor, "course_submitted", "course", course.id)
    return course


async def review(
    tx: Transaction, resources: Resources, known: Known, actor: Actor, course_id: UUID, given: ReviewGiven
) -> Course:
    """Approve it or send it back, by whom its audience's route names; nobody reviews what he provides."""
    course = await _locked(tx, known, course_id, Action.course_review)
    require_reviewer(courses.reviewable(course), known.account.id, grants_of(known))
    if given.decision == "return" and not given.note.strip():
        raise Refusal(RefusalCode.invalid_input, field="note")
    now = resources.clock()
    await courses.move(tx, course, CourseMove.approve if given.decision == "approve" else CourseMove.return_, now)
    course.review_note = given.note or None
    if given.decision == "approve":
        course.reviewed_by, course.reviewed_at = known.account.id, now
    await tx.session.flush()
    await tx.audit(actor, "course_reviewed", "course", course.id, decision=given.decision, note=given.note)
    return course


async def file(tx: Transaction, resources: Resources, known: Known, actor: Actor, course_id: UUID) -> Course:
    """Record its filing (备案), by whom its audience's route names."""
    course = await _locked(tx, known, course_id, Action.course_file)
    require_filer(courses.reviewable(course), grants_of(known))
    course.filed_by, course.filed_at = known.account.id, resources.clock()
    await tx.session.flush()
    await tx.audit(actor, "course_filed", "course", course.id)
    return course


async def publish(tx: Transaction, resources: Resources, known: Known, actor: Actor, course_id: UUID) -> Course:
    """Let its audience in. Refusals: review_missing, filing_missing."""
    course = await _locked(tx, known, course_id, Action.course_publish)
    require_publishable(courses.reviewable(course))
    await courses.move(tx, course, CourseMove.publish, resources.clock())
    await tx.audit(actor, "course_published", "course", course.id)
    return course


async def _locked(tx: Transaction, known: Known, course_id: UUID, needed: Action, seen: Seen | None = None) -> Course:
    await visible(tx, known, course_id)
    course = await courses.lock(tx, course_id)
    require_for(known, needed, scope_of(course), own=course.provider_id == known.account.id)
    if seen is not None:
        seen.require(course)
    return course


def _steps(entries: Mapping[tuple[UUID, str], AuditEntry]) -> dict[UUID, list[StepShape]]:
    """The audit trail's newest entries as the steps of each course, in the order of its way."""
    found: dict[UUID, list[StepShape]] = {}
    for action, step in STEPS.items():
        for (course_id, acted), entry in entries.items():
            if acted == action:
                returned = step == "review" and entry.details.get("decision") == "return"
                by = Person(entry.actor_id, entry.actor_name) if entry.actor_id else None
                found.setdefault(course_id, []).append(StepShape("return" if returned else step, entry.at, by))
    return found


def _scoped_audience(known: Known) -> Reach:
    """Programmes and departments whose scoped courses this account may see by roster or by its place."""
    learner = reach([one for one in grants_of(known) if one.role == Role.learner], Action.recording_play)
    duty = reach([one for one in known.grants if one.role != Role.learner], Action.course_play)
    programmes = frozenset(one.scope_id for one in known.grants if one.scope_id)
    roster = roster_grants(known.cohort_ids, known.programme_ids)
    programmes |= frozenset(one.scope_id for one in roster if one.scope_id)
    return Reach(
        everywhere=duty.everywhere,
        department_ids=programmes,
        programme_ids=programmes | learner.audience_programme_ids,
    )


def _parts(there: Parts, wanted: CourseChange) -> Parts:
    chapters = [ChapterShape(one.at_ms, one.title) for one in there.chapters]
    references = [ReferenceShape(one.title, one.url) for one in there.references]
    new_chapters = chapters if wanted.chapters is msgspec.UNSET else wanted.chapters
    new_references = references if wanted.references is msgspec.UNSET else wanted.references
    if wanted.questions is msgspec.UNSET:
        questions = [(one.prompt, list(one.choices), one.answer) for one in there.questions]
    else:
        questions = [(one.prompt, one.choices, one.answer) for one in wanted.questions]
    if any(answer >= len(choices) for _, choices, answer in questions):
        raise Refusal(RefusalCode.invalid_input, field="questions.answer")
    return Parts(
        chapters=[CourseChapter(at_ms=one.at_ms, title=one.title) for one in new_chapters],
        questions=[
            CourseQuestion(position=position, prompt=prompt, choices=choices, answer=answer)
            for position, (prompt, choices, answer) in enumerate(questions, start=1)
        ],
        references=[
            CourseReference(position=position, title=one.title, url=one.url)
            for position, one in enumerate(new_references, start=1)
        ],
    )
