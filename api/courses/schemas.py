"""The shapes of premium courses and their way through review, filing and publication."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from api.shapes import Given, Milliseconds, Person, Place, Summary, Title
from domain.kinds import Audience
from domain.permissions import Action
from domain.states import CourseState

MOST_PARTS = 200
MOST_CHOICES = 10
Url = Annotated[str, msgspec.Meta(pattern=r"^https?://", max_length=2000)]
Choice = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class ChapterShape(Given):
    """A chapter begins at `at_ms` of the video."""

    at_ms: Milliseconds
    title: Title


class QuestionShape(msgspec.Struct):
    """A question as learners see it: its answer is not told."""

    prompt: str
    choices: list[str]


class QuestionChange(Given):
    """A question as its provider writes it; `answer` is the index of the right choice."""

    prompt: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    choices: Annotated[list[Choice], msgspec.Meta(min_length=2, max_length=MOST_CHOICES)]
    answer: Annotated[int, msgspec.Meta(ge=0, lt=MOST_CHOICES)]


class ReferenceShape(Given):
    """A text reference."""

    title: Title
    url: Url


class StepShape(msgspec.Struct):
    """What was done last on a course's way, by whom and when; `return` takes the place of `review` in a return."""

    step: Literal["submission", "review", "return", "filing", "publication"]
    at: datetime
    by: Person | None


class CourseShape(msgspec.Struct):
    """Kept content made of a recording; `may` lists what the asking account may do to it.

    `steps` are told to whoever may do more than play it: an audience is not told who reviewed.
    """

    id: UUID
    recording_id: UUID
    title: str
    summary: str
    audience: Audience
    state: CourseState
    provider: Person | None
    programme: Place | None
    duration_ms: int
    poster_url: str | None
    chapters: list[ChapterShape]
    questions: list[QuestionShape]
    references: list[ReferenceShape]
    reviewed_at: datetime | None
    review_note: str | None
    filed_at: datetime | None
    published_at: datetime | None
    steps: list[StepShape]
    version: int
    may: list[Action]


class CourseChange(Given):
    """What may be changed of a course before its review; what is left out stays, lists are replaced whole."""

    title: Title | msgspec.UnsetType = msgspec.UNSET
    summary: Summary | msgspec.UnsetType = msgspec.UNSET
    audience: Audience | msgspec.UnsetType = msgspec.UNSET
    chapters: Annotated[list[ChapterShape], msgspec.Meta(max_length=MOST_PARTS)] | msgspec.UnsetType = msgspec.UNSET
    questions: Annotated[list[QuestionChange], msgspec.Meta(max_length=MOST_PARTS)] | msgspec.UnsetType = msgspec.UNSET
    references: Annotated[list[ReferenceShape], msgspec.Meta(max_length=MOST_PARTS)] | msgspec.UnsetType = msgspec.UNSET


class ReviewGiven(Given):
    """A reviewer's decision; a return needs its note."""

    decision: Literal["approve", "return"]
    note: Annotated[str, msgspec.Meta(max_length=2000)] = ""
