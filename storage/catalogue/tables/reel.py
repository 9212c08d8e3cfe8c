"""A reel (分卷): about a minute of a take, stored as one object, and the segments in it.

A take and its first segment's number name a reel, so that a second upload after a crash finds the first one's row.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalogue.tables.base import Digest, Identified, Json, Table


class Reel(Identified, Table):
    __tablename__ = "reel"
    __table_args__ = (UniqueConstraint("recording_id", "number"), UniqueConstraint("take_id", "first_msn"))

    recording_id: Mapped[UUID] = mapped_column(ForeignKey("recording.id"))
    take_id: Mapped[UUID] = mapped_column(ForeignKey("take.id"))
    number: Mapped[int]
    """Its name within the recording; the order of play is that of takes, then of `first_msn`."""
    init_id: Mapped[UUID] = mapped_column(ForeignKey("take_init.id"))
    object_key: Mapped[str] = mapped_column(unique=True)
    bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[Digest]
    duration_ms: Mapped[int]
    starts_at: Mapped[datetime]
    """Program date time of its first sample."""
    first_msn: Mapped[int] = mapped_column(BigInteger)
    segments: Mapped[list[Json]]
    """`{"msn", "offset", "bytes", "duration_ms", "independent", "starts_at_ms"}` each, in order; with `"held"` where
    the holding picture had numbers before it: `{"segments", "starts_at_ms", "duration_ms"}`.
    """
    discontinuity: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """Its first segment does not go on from the one before."""
    stored_at: Mapped[datetime]
    verified_at: Mapped[datetime]
    """When the object was read back and matched `sha256`; only then may the spool let go of its file."""
    tracks: Mapped[list[Json] | None] = mapped_column(JSONB(none_as_null=True))
    """Of each track `{"kind", "timescale", "start", "end", "frames", "keyframes", "pauses"}`, counted at capture."""
