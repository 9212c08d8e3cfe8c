"""When a session may be live, and which sessions want the same thing at the same time.

Rule of this file: spans are half-open, [starts_at, ends_at), as PostgreSQL's tstzrange is by default: a class that
begins as another ends clashes with nothing. The catalogue's exclusion constraint makes a double booking impossible;
what is found here is the report that people read before they run into it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain.kinds import BookingKind
from domain.refusals import Refusal, RefusalCode

# A row that says 18 hours is a slip of the pen (an end in the wrong half of the day), not a class.
MAX_SESSION_SECONDS = 16 * 3600


@dataclass(frozen=True)
class During:
    """A span of time, its end not in it."""

    starts_at: datetime
    ends_at: datetime

    def overlaps(self, other: "During") -> bool:
        """Whether the two share an instant."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at

    def holds(self, instant: datetime) -> bool:
        """Whether the instant lies in the span."""
        return self.starts_at <= instant < self.ends_at


@dataclass(frozen=True)
class Booking:
    """What a session occupies. One that is not active, or whose clash a person has allowed, keeps nobody else out."""

    kind: BookingKind
    resource: str
    during: During
    session_id: UUID | None = None
    active: bool = True
    override_reason: str | None = None

    def excludes(self) -> bool:
        """Whether it keeps others out: the condition of the catalogue's constraint."""
        return self.active and self.override_reason is None


@dataclass(frozen=True)
class Clash:
    """Two bookings of one thing at one time; `first` starts no later."""

    first: Booking
    second: Booking


def window(starts_at: datetime, ends_at: datetime, early_seconds: float, overrun_seconds: float) -> During:
    """When a session's encoder may publish: from a margin before its start to a margin after its end."""
    return During(starts_at - timedelta(seconds=early_seconds), ends_at + timedelta(seconds=overrun_seconds))


def require_span(starts_at: datetime, ends_at: datetime) -> During:
    """The span of a session; Refusal("window_invalid") when it ends before it starts or is longer than a day's work."""
    if starts_at.tzinfo is None or ends_at.tzinfo is None:
        raise ValueError("a session's times carry their zone")
    if not timedelta(0) < ends_at - starts_at <= timedelta(seconds=MAX_SESSION_SECONDS):
        raise Refusal(RefusalCode.window_invalid, starts_at=starts_at, ends_at=ends_at, max_seconds=MAX_SESSION_SECONDS)
    return During(starts_at, ends_at)


def bookings_of(
    session_id: UUID,
    during: During,
    *,
    room: str | None = None,
    instructor_id: UUID | None = None,
    cohort_id: UUID | None = None,
    equipment: Iterable[str] = (),
) -> tuple[Booking, ...]:
    """What a session books: its room, its instructor, its cohort, each piece of equipment."""
    wanted = [
        (BookingKind.room, room.strip() if room else None),
        (BookingKind.instructor, str(instructor_id) if instructor_id else None),
        (BookingKind.cohort, str(cohort_id) if cohort_id else None),
        *((BookingKind.equipment, piece.strip()) for piece in equipment),
    ]
    return tuple(Booking(kind, resource, during, session_id) for kind, resource in wanted if resource)


def clashes(bookings: Iterable[Booking]) -> list[Clash]:
    """Every two bookings of different sessions that exclude each other, by time and then kind and resource.

    O(n log n) and the clashes found: each resource's bookings are walked once in the order of their starts.
    """
    by_resource: dict[tuple[BookingKind, str], list[Booking]] = defaultdict(list)
    for booking in bookings:
        if booking.excludes():
            by_resource[booking.kind, booking.resource].append(booking)
    found = [clash for rivals in by_resource.values() for clash in _clashes_of_one(rivals)]
    return sorted(found, key=lambda clash: (clash.second.during.starts_at, clash.second.kind, clash.second.resource))


def require_free(wanted: Iterable[Booking], taken: Iterable[Booking]) -> None:
    """Refusal("slot_taken") for the first of `wanted` that one of `taken` keeps out."""
    asked = tuple(wanted)
    keys = {(booking.kind, booking.resource) for booking in asked}
    rivals = [booking for booking in taken if (booking.kind, booking.resource) in keys]
    mine = {id(booking) for booking in asked}
    for clash in clashes((*rivals, *asked)):
        if (id(clash.first) in mine) != (id(clash.second) in mine):
            other = clash.second if id(clash.first) in mine else clash.first
            raise Refusal(
                RefusalCode.slot_taken,
                kind=other.kind,
                resource=other.resource,
                session_id=other.session_id,
                starts_at=other.during.starts_at,
                ends_at=other.during.ends_at,
            )


def _clashes_of_one(rivals: list[Booking]) -> Iterator[Clash]:
    going: list[Booking] = []  # those begun before and not over yet: each of them overlaps the next one
    for booking in sorted(rivals, key=lambda rival: (rival.during.starts_at, rival.during.ends_at)):
        going = [earlier for earlier in going if earlier.during.ends_at > booking.during.starts_at]
        for earlier in going:
            same_session = booking.session_id is not None and earlier.session_id == booking.session_id
            if not same_session:
                yield Clash(earlier, booking)
        going.append(booking)
