"""The outbox: what a room tells the others, written in the transaction that made it true and delivered at least once.

The table is called `fact`; the row's class is `FactRow`, so as not to be taken for a domain fact.
"""

from datetime import datetime

from sqlalchemy import BigInteger, Identity, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalogue.tables.base import Json, Table


class FactRow(Table):
    __tablename__ = "fact"
    __table_args__ = (
        Index("ix_fact_next_attempt_at_undelivered", "next_attempt_at", postgresql_where=text("delivered_at IS NULL")),
        Index("ix_fact_delivered_at", "delivered_at", postgresql_where=text("delivered_at IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str]
    payload: Mapped[Json]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    delivered_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """Deliveries that failed."""
    next_attempt_at: Mapped[datetime] = mapped_column(server_default=func.now())
    error: Mapped[str | None]
