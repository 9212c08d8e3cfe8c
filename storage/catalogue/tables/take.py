"""A take (推流): one uninterrupted publish into a session, and where it came from (R17)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from domain.kinds import Protocol, Slot
from domain.states import TakeState
from storage.catalogue.tables.base import Identified, Json, Table, choice


class Take(Identified, Table):
    __tablename__ = "take"
    __table_args__ = (
        UniqueConstraint("session_id", "number"),
        Index(
            "uq_take_session_id_slot_publishing",
            "session_id",
            "slot",
            unique=True,
            postgresql_where=text("state = 'publishing'"),
        ),
    )

    session_id: Mapped[UUID] = mapped_column(ForeignKey("session.id"))
    recording_id: Mapped[UUID | None] = mapped_column(ForeignKey("recording.id"), index=True)
    """None for a take that leaves nothing: a rehearsal, or one that was refused."""
    slot: Mapped[Slot] = mapped_column(choice(Slot, "slot"))
    number: Mapped[int]
    """1, 2, … within its session, in the order they began."""
    protocol: Mapped[Protocol] = mapped_column(choice(Protocol, "protocol"))
    encoder: Mapped[str | None]
    address: Mapped[str | None]
    credential_id: Mapped[UUID | None] = mapped_column(ForeignKey("ingest_credential.id"))
    epoch: Mapped[int] = mapped_column(BigInteger)
    """The owner's epoch under which it began."""
    state: Mapped[TakeState] = mapped_column(choice(TakeState, "state"))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]
    video_codec: Mapped[str | None]
    audio_codec: Mapped[str | None]
    width: Mapped[int | None]
    height: Mapped[int | None]
    frame_rate: Mapped[float | None]
    refusal: Mapped[str | None]
    """The refusal's code, where the take was turned away after it began."""
    findings: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
    """What its media was found to be: frames that came, those that were lost and where, repairs of its times. NULL
    where its process died before it could say.
    """
