"""The shapes of sessions, their ingest addresses and what their encoder does."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from api.shapes import Given, Person, Place, Title
from domain.broadcast_delay import MOST_SECONDS
from domain.kinds import Interaction, Release, SessionKind, Slot
from domain.permissions import Action
from domain.states import RecordingState, SessionState

SessionCommand = Literal["cut", "resume", "kick", "end"]
View = Literal["audience", "monitor", "preview"]
Delay = Annotated[int, msgspec.Meta(ge=0, le=MOST_SECONDS)]
Room = Annotated[str, msgspec.Meta(max_length=100)]


class SessionShape(msgspec.Struct):
    """One planned live class or event; `may` lists what the asking account may do to it."""

    id: UUID
    kind: SessionKind
    interaction: Interaction
    title: str
    state: SessionState
    starts_at: datetime
    ends_at: datetime
    room: str | None
    programme: Place | None
    cohort: Place | None
    instructor: Person | None
    reviewer: Person | None
    """Who watches it ahead and may cut it; told to who controls it or names one."""
    recording_id: UUID | None
    recording_state: RecordingState | None
    release: Release
    delay_seconds: int
    """How long after its teacher the audience sees it."""
    cut_reason: str | None
    went_live_at: datetime | None
    ended_at: datetime | None
    peak_viewers: int | None
    """How many watched it live at one time, at most; told to who teaches or controls it."""
    version: int
    may: list[Action]


class SessionChange(Given):
    """What may be changed of a session; what is left out stays."""

    title: Title | msgspec.UnsetType = msgspec.UNSET
    room: Room | msgspec.UnsetType | None = msgspec.UNSET
    delay_seconds: Delay | msgspec.UnsetType = msgspec.UNSET


class ReviewerChange(Given):
    """Who is to review it; null: nobody."""

    account_id: UUID | None


class IngestShape(msgspec.Struct):
    """Where an encoder publishes, and with which key; the same key is shown until it is renewed."""

    rtmp_server: str
    rtmps_server: str | None
    key: str
    whip_url: str
    slot: Slot
    not_before: datetime
    not_after: datetime
