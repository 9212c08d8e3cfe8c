"""The one ingest node that owns a live session. The epoch only grows: a write that names an older one is refused.

The lease in Valkey is a hint where to look; this row decides, so that no outage makes two owners.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalogue.tables.base import Table


class LiveOwner(Table):
    __tablename__ = "live_owner"

    session_id: Mapped[UUID] = mapped_column(ForeignKey("session.id"), primary_key=True)
    epoch: Mapped[int] = mapped_column(BigInteger)
    node: Mapped[str]
    control_url: Mapped[str]
    since: Mapped[datetime]
