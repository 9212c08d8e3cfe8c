"""Which rows cannot be booked, because a room, an instructor or the cohort is taken at their time.

Earlier rows of the file win over later ones, and what is booked already wins over both, but for bookings of sessions
that this very import moves or cancels. A session whose change is refused keeps what it had, which may refuse others:
so it goes on until no further change is refused. Refused changes only grow in number, so it ends.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from domain.schedule import Booking, Clash, During, bookings_of
from teaching.import_plan import Placed


def bookings(placed: Placed, cohort_id: UUID | None) -> tuple[Booking, ...]:
    """What a row's session would occupy."""
    during = During(placed.row.starts_at, placed.row.ends_at)
    return bookings_of(
        placed.session_id, during, room=placed.row.room, instructor_id=placed.instructor_id, cohort_id=cohort_id
    )


def refusals(
    wanted: Sequence[Placed], wishes: Mapping[UUID, Sequence[Booking]], clashes: Sequence[Clash], moved: set[UUID]
) -> dict[UUID, Booking]:
    """By session, the booking that is in its way. `wanted` are in the file's order; `moved` had bookings before."""
    owners = {id(wish): key for key, mine in wishes.items() for wish in mine}
    rivals: dict[UUID, list[Booking]] = defaultdict(list)
    for clash in clashes:
        for mine, other in ((clash.first, clash.second), (clash.second, clash.first)):
            if id(mine) in owners:
                rivals[owners[id(mine)]].append(other)
    stuck: dict[UUID, Booking] = {}
    while True:
        refused = _round(wanted, rivals, owners, moved - stuck.keys(), stuck)
        now_stuck = {key: other for key, other in refused.items() if key in moved}
        if now_stuck.keys() == stuck.keys():
            return refused
        stuck = now_stuck


def _round(
    wanted: Sequence[Placed],
    rivals: Mapping[UUID, Sequence[Booking]],
    owners: Mapping[int, UUID],
    moving: set[UUID],
    stuck: Mapping[UUID, Booking],
) -> dict[UUID, Booking]:
    """One walk through the rows, with the refused changes of earlier walks."""
    refused = dict(stuck)
    accepted: set[UUID] = set()
    for placed in wanted:
        key = placed.session_id
        if key in stuck:
            continue
        in_the_way = next((other for other in rivals.get(key, ()) if _stands(other, owners, accepted, moving)), None)
        if in_the_way is None:
            accepted.add(key)
        else:
            refused[key] = in_the_way
    return refused


def _stands(other: Booking, owners: Mapping[int, UUID], accepted: set[UUID], moving: set[UUID]) -> bool:
    """Whether a rival keeps others out: a row that was accepted, or a booking that this import leaves where it is."""
    owner = owners.get(id(other))
    return owner in accepted if owner is not None else other.session_id not in moving
