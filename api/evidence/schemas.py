"""The shapes of what cuts kept from an audience."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from api.shapes import Person


class CutShape(msgspec.Struct):
    """One cut, or its end: when, by whom, why."""

    at: datetime
    order: Literal["cut", "resume"]
    by: Person | None
    reason: str


class StretchShape(msgspec.Struct):
    """A stretch of media that nobody saw, as it was captured."""

    id: UUID
    starts_at: datetime
    duration_ms: int
    bytes: int
    sha256: str


class EvidenceShape(msgspec.Struct):
    """All that cuts kept of a recording, with the cuts."""

    title: str
    cuts: list[CutShape]
    stretches: list[StretchShape]


class KeptShape(msgspec.Struct):
    """A recording of which something was cut: how much was kept, and why the newest cut was made."""

    recording_id: UUID
    session_id: UUID
    title: str
    instructor: Person | None
    reason: str | None
    first_at: datetime
    last_at: datetime
    stretches: int
    duration_ms: int
    bytes: int
