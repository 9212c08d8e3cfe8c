"""A booking: a session takes a resource (a room, a person, a cohort, a device) for a stretch of time.

The exclusion constraint makes a double booking impossible. It is deferrable, so that two sessions may swap rooms in
one transaction; a booking that is not active, or that was made over another with a reason, stands outside it.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, text
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from domain.kinds import BookingKind
from storage.catalogue.tables.base import Identified, Table, choice


class Booking(Identified, Table):
    __tablename__ = "booking"
    __table_args__ = (
        ExcludeConstraint(
            ("kind", "="),
            ("resource", "="),
            ("during", "&&"),
            name="ex_booking_no_double",
            using="gist",
            where=text("active AND override_reason IS NULL"),
            deferrable=True,
            initially="IMMEDIATE",
        ),
        CheckConstraint("NOT isempty(during)", name="during"),
    )

    session_id: Mapped[UUID] = mapped_column(ForeignKey("session.id"), index=True)
    kind: Mapped[BookingKind] = mapped_column(choice(BookingKind, "kind"))
    resource: Mapped[str]
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    """Half open: a class that ends at 10:00 and one that begins at 10:00 do not clash."""
    active: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    override_reason: Mapped[str | None]
