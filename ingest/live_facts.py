"""What a live session is told when it is made: of what it is, and where an earlier process left it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class LiveFacts:
    """What a live session is of. `origin` is the wall clock at its line's zero; `epoch` its ownership's."""

    session_id: UUID
    recording_id: UUID
    origin: datetime
    delay_seconds: float
    epoch: int
    reviewed: bool = False
    """Whether its gate freezes when no cut could be heard."""


@dataclass(slots=True)
class Resumption:
    """Where an earlier take, or an earlier process, left the session."""

    end: int = 0
    next_serial: int = 0
    next_init_number: int = 1
    next_reel_number: int = 1
    has_media: bool = False
