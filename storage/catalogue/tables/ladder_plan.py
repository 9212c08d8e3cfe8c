"""A ladder plan: the renditions that reels are encoded to. Its id is part of every result's key."""

from datetime import datetime

from sqlalchemy import func, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalogue.tables.base import Identified, Json, Table


class LadderPlan(Identified, Table):
    __tablename__ = "ladder_plan"

    slug: Mapped[str] = mapped_column(unique=True)
    renditions: Mapped[list[Json]]
    active: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
