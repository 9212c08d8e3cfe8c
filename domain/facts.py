"""What the rooms tell each other: each fact is something that has happened, and is never taken back.

Rule of this file: a fact is written in the transaction that made it true and delivered at least once, so it carries ids
alone and whoever hears it reads the present state. Names and fields are stored in the outbox: they are added to, never
renamed; a reader ignores fields it does not know, so that two versions can run side by side.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import ClassVar
from uuid import UUID


@dataclass(frozen=True)
class SessionScheduled:
    """A session has its place in the schedule, or a new one."""

    NAME: ClassVar[str] = "session_scheduled"
    session_id: UUID


@dataclass(frozen=True)
class SessionEnded:
    """A session's end was said: by a person, a reviewer or its overrun."""

    NAME: ClassVar[str] = "session_ended"
    session_id: UUID


@dataclass(frozen=True)
class TakeStarted:
    """An encoder publishes."""

    NAME: ClassVar[str] = "take_started"
    session_id: UUID
    take_id: UUID


@dataclass(frozen=True)
class TakeEnded:
    """A publish is over; the session may go on."""

    NAME: ClassVar[str] = "take_ended"
    session_id: UUID
    take_id: UUID


@dataclass(frozen=True)
class ReelStored:
    """About a minute of a take lies verified in the store."""

    NAME: ClassVar[str] = "reel_stored"
    recording_id: UUID
    reel_id: UUID


@dataclass(frozen=True)
class EvidenceStored:
    """About a minute of what a cut kept from the audience lies verified in the store."""

    NAME: ClassVar[str] = "evidence_stored"
    recording_id: UUID
    evidence_reel_id: UUID


@dataclass(frozen=True)
class RecordingStored:
    """A session is over and all its reels lie in the store."""

    NAME: ClassVar[str] = "recording_stored"
    recording_id: UUID


@dataclass(frozen=True)
class LadderCompleted:
    """Every reel of a stored recording has all its renditions."""

    NAME: ClassVar[str] = "ladder_completed"
    recording_id: UUID


@dataclass(frozen=True)
class WorkRetried:
    """A person wants failed work on a recording tried again."""

    NAME: ClassVar[str] = "work_retried"
    recording_id: UUID
    work_id: UUID


@dataclass(frozen=True)
class RecordingMarked:
    """A recording's time is up: it lies in the trash for its grace time."""

    NAME: ClassVar[str] = "recording_marked"
    recording_id: UUID


@dataclass(frozen=True)
class RecordingPurged:
    """Nothing is left of a recording but its certificate."""

    NAME: ClassVar[str] = "recording_purged"
    recording_id: UUID


@dataclass(frozen=True)
class RecordingPromoted:
    """A course is made of a recording, which is kept from now on."""

    NAME: ClassVar[str] = "recording_promoted"
    recording_id: UUID
    course_id: UUID


@dataclass(frozen=True)
class SignInEnded:
    """A sign-in is over: its playback tokens count no more."""

    NAME: ClassVar[str] = "sign_in_ended"
    sign_in_id: UUID
    account_id: UUID


Fact = (
    SessionScheduled
    | SessionEnded
    | TakeStarted
    | TakeEnded
    | ReelStored
    | EvidenceStored
    | RecordingStored
    | LadderCompleted
    | WorkRetried
    | RecordingMarked
    | RecordingPurged
    | RecordingPromoted
    | SignInEnded
)

FACTS: Mapping[str, type[Fact]] = {fact.NAME: fact for fact in Fact.__args__}


def to_json(fact: Fact) -> dict[str, str]:
    """The fact's fields as the outbox stores them."""
    return {field.name: str(getattr(fact, field.name)) for field in fields(fact)}


def from_json(name: str, payload: Mapping[str, object]) -> Fact:
    """The fact of this name; ValueError when there is none, or when the payload is not one of its."""
    kind = FACTS.get(name)
    if kind is None:
        raise ValueError(f"no fact is called {name!r}")
    try:
        return kind(**{field.name: UUID(str(payload[field.name])) for field in fields(kind)})
    except KeyError as lacking:
        raise ValueError(f"{name}: {lacking} is missing") from lacking
