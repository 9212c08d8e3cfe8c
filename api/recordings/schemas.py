"""The shapes of recordings and of what keeps, ends or fails them."""

from datetime import datetime
from uuid import UUID

import msgspec

from api.shapes import Given, Person, Place, Reason, Summary, Title
from domain.kinds import Audience, Release
from domain.permissions import Action
from domain.states import RecordingState, WorkState


class HoldShape(msgspec.Struct):
    """A hold that stands: why, by whom, since when; `may` lists what the asking account may do to it."""

    id: UUID
    reason: str
    placed_by: Person | None
    placed_at: datetime
    may: list[Action]


class LiftedHoldShape(msgspec.Struct):
    """A hold that was lifted: why and by whom it was placed, and why and by whom it was lifted."""

    id: UUID
    reason: str
    placed_by: Person | None
    placed_at: datetime
    lift_reason: str
    lifted_by: Person | None
    lifted_at: datetime


class EncodingShape(msgspec.Struct):
    """How much of the recording's work on its media is done."""

    done: int
    total: int
    failed: int


class RecordingShape(msgspec.Struct):
    """What a session's takes left; `may` lists what the asking account may do to it.

    `lifted_holds` are told to those who see it by duty. `purge_begins_at` is set while it is marked: until then the
    mark can be taken back; what a person ordered away has no such time.
    """

    id: UUID
    session_id: UUID
    title: str
    state: RecordingState
    instructor: Person | None
    programme: Place | None
    cohort: Place | None
    release: Release
    reviewed_at: datetime | None
    retention_class: str
    started_at: datetime
    ended_at: datetime | None
    expires_at: datetime | None
    duration_ms: int
    bytes: int
    peak_viewers: int | None
    """How many watched it live at one time, at most; told to who teaches or controls its session."""
    poster_url: str | None
    encoding: EncodingShape
    holds: list[HoldShape]
    lifted_holds: list[LiftedHoldShape]
    marked_at: datetime | None
    purge_begins_at: datetime | None
    purge_reason: str | None
    course_id: UUID | None
    version: int
    may: list[Action]


class RecordingChange(Given):
    """What may be changed of a recording; what is left out stays."""

    title: Title | msgspec.UnsetType = msgspec.UNSET


class PurgeOrder(Given):
    """Purge now: why, and the recording's own title typed again."""

    reason: Reason
    confirm_title: Title


class PromotionOrder(Given):
    """Make a course of the recording."""

    title: Title
    audience: Audience
    summary: Summary = ""


class StillShape(msgspec.Struct):
    """A picture along the time line."""

    at_ms: int
    width: int
    height: int
    url: str


class WorkShape(msgspec.Struct):
    """One piece of work on the recording; `error` and `log` tell why it failed."""

    id: UUID
    kind: str
    state: WorkState
    attempts: int
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None
    log: str | None


class CertificateShape(msgspec.Struct):
    """Proof that a recording was purged: what there was, and that nothing was left."""

    id: UUID
    recording_id: UUID
    session_id: UUID
    title: str
    purged_at: datetime
    verified_at: datetime
    reason: str
    objects: int
    bytes: int
    listing_sha256: str
    actor: str
