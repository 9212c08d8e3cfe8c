"""A reel as it is planned: which bytes of which spool files become one object, and what a row will say of them.

A plan is written beside its files before anything is uploaded and goes with them, so a process that starts after a
crash goes on with the same reels under the same names. It says by checksums what the bytes were when captured: what
the disk has made of them meanwhile is never taken for it.
"""

import struct
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

import msgspec

from domain.kinds import Protocol
from ingest.events import HeldRun
from ingest.spool_index import PartRecord
from media.counting import RunCount
from storage.objects import keys


class SpoolRange(NamedTuple):
    """Bytes of a spool file; `name` is within its take's folder."""

    name: str
    offset: int
    length: int


class PartCheck(NamedTuple):
    """A part of a planned segment: its bytes, its ticks, and the checksum of what was captured."""

    length: int
    duration: int
    checksum: int | None
    """None where nobody knows."""


_CHECK = struct.Struct("<III")


def pack(parts: Iterable[PartCheck | PartRecord]) -> bytes | None:
    """These parts in twelve bytes each, since plans wait in memory. None where one has no checksum."""
    packed = b""
    for part in parts:
        if part.checksum is None:
            return None
        packed += _CHECK.pack(part.length, part.duration, part.checksum)
    return packed


class PlannedSegment(msgspec.Struct, frozen=True):
    """A finished segment. `msn` is its number in the playlists; -1 for evidence, which is in none."""

    msn: int
    source: SpoolRange
    start: int
    duration: int
    independent: bool
    discontinuity: bool
    held: HeldRun | None = None
    """The numbers before it that the holding picture had in the playlists, and no recording has."""
    counted: list[RunCount] | None = None
    """What is in it, track by track, from when it was made; None after a crash: its spool file has it."""
    packed: bytes | None = None
    """Its parts (`pack`); None where nobody knows what they were: in a spool of a version without."""

    def checks(self) -> list[PartCheck]:
        """Its parts in order; none where nobody knows."""
        return [PartCheck(*fields) for fields in _CHECK.iter_unpack(self.packed or b"")]


class Harm(StrEnum):
    """What became of captured media in the spool before it could be stored."""

    lost = "lost"
    """It is not there, or cannot be read."""
    damaged = "damaged"
    """Other bytes are there than were captured; they are stored all the same."""


class Spoilt(msgspec.Struct, frozen=True):
    """A stretch of a take that is not stored as it was captured; ticks of CLOCK on the session's line."""

    harm: Harm
    start: int
    duration: int


class LateTake(msgspec.Struct, frozen=True):
    """What the row of a take says that began while no row could be written."""

    credential_id: UUID
    epoch: int
    protocol: Protocol
    encoder: str
    address: str
    started_at: datetime


class TakeAbout(msgspec.Struct, frozen=True):
    """What a spool folder is of; written first into it."""

    session_id: UUID
    recording_id: UUID
    take_id: UUID
    take_number: int
    node: str
    origin: datetime
    """Program date time of the session line's zero."""
    first_msn: int
    delay_seconds: float = 0.0
    """Of the release gate: where there is one, the index says how far its parts got out."""
    late: LateTake | None = None
    """Where the take's row may not stand yet (`late_takes.py`)."""


class ReelPlan(msgspec.Struct, frozen=True):
    """`number` is the reel's within its recording."""

    number: int
    recording_id: UUID
    take_id: UUID
    init_number: int
    evidence: bool
    segments: list[PlannedSegment]
    """None where all of it is lost: then there is only something to be said."""
    spoilt: list[Spoilt] = []
    """To be said with it."""

    @property
    def key(self) -> str:
        name = keys.evidence_reel if self.evidence else keys.source_reel
        return name(self.recording_id, self.take_id, self.number)

    @property
    def init_key(self) -> str:
        name = keys.evidence_init if self.evidence else keys.source_init
        return name(self.recording_id, self.take_id, self.init_number)

    @property
    def bytes(self) -> int:
        return sum(segment.source.length for segment in self.segments)

    @property
    def duration(self) -> int:
        return sum(segment.duration for segment in self.segments)

    @property
    def file_name(self) -> str:
        return f"reel-{self.number:05}.json"
