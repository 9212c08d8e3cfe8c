"""What a person was given to watch a session by, taken back before its time; and whether more may be given."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalogue.tables.base import Identified, Table


class PlaybackWithdrawal(Identified, Table):
    __tablename__ = "playback_withdrawal"
    __table_args__ = (
        Index(None, "withdrawn_at"),
        Index(None, "session_id", "account_id", unique=True, postgresql_where=text("bars")),
    )

    session_id: Mapped[UUID] = mapped_column(ForeignKey("session.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    previews_only: Mapped[bool]
    """What was given to watch it with its audience stays good."""
    withdrawn_at: Mapped[datetime]
    bars: Mapped[bool]
    """Nothing more is given to the person while this stands: a viewer who was sent away, until let in again."""
