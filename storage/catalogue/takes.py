"""Takes: begun and ended by the ingest node that owns the session, under the session row's lock and its epoch."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert

from domain.facts import TakeEnded, TakeStarted
from domain.kinds import Protocol, Slot
from domain.states import TAKE, SessionMove, SessionState, TakeMove, TakeState
from storage.catalogue import live_owner, recordings, sessions
from storage.catalogue.rows import locked
from storage.catalogue.tables.session import Session
from storage.catalogue.tables.take import Take
from storage.catalogue.tables.take_init import TakeInit
from storage.catalogue.transaction import Transaction

RECORDED_SLOTS = frozenset({Slot.main, Slot.backup})
"""Takes of these slots make the session's recording; a rehearsal leaves nothing."""
_OVER = (SessionState.ended, SessionState.cancelled)


@dataclass(frozen=True, slots=True)
class NewTake:
    """A publish that admission let in."""

    id: UUID
    session_id: UUID
    slot: Slot
    protocol: Protocol
    epoch: int
    encoder: str | None = None
    address: str | None = None
    credential_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Format:
    """What an encoder was found to send."""

    video_codec: str | None = None
    audio_codec: str | None = None
    width: int | None = None
    height: int | None = None
    frame_rate: float | None = None


async def start(tx: Transaction, new: NewTake, now: datetime) -> Take:
    """Begins a take. The slot's take that still publishes is ended as taken over; a scheduled session goes live with
    its first main take, and gets its recording.

    StaleOwner where the writer's epoch is over; Refusal("move_not_allowed") where the session can no longer go live.
    """
    session = await sessions.lock(tx, new.session_id)
    await live_owner.check(tx, new.session_id, new.epoch)
    if (old := await publishing(tx, new.session_id, new.slot)) is not None:
        await end(tx, old.id, now, "taken_over")
    recording_id = None
    if new.slot in RECORDED_SLOTS:
        if session.state not in (SessionState.live, SessionState.cut):
            await sessions.move(tx, session, SessionMove.go_live, now)
        recording_id = (await recordings.of_live_session(tx, session, now)).id
    return await _add(tx, new, recording_id, now)


async def start_late(tx: Transaction, new: NewTake, recording_id: UUID, started_at: datetime, now: datetime) -> None:
    """Writes down a main take that began while the catalogue was away; done again, it changes nothing.

    Nobody is refused here, for it did begin. Where another node has claimed the session meanwhile it stands as ended,
    as the takes do that were on: its media joins the recording all the same.
    """
    if await tx.session.get(Take, new.id) is not None:
        return
    await sessions.lock(tx, new.session_id)
    if await tx.session.get(Take, new.id) is not None:  # written by another while the row was waited for
        return
    owner = await live_owner.find(tx, new.session_id)
    if owner is not None and owner.epoch > new.epoch:
        await _add(tx, new, recording_id, started_at, over_at=max(now, started_at))
        return
    if (old := await publishing(tx, new.session_id, new.slot)) is not None:
        await end(tx, old.id, started_at, "taken_over")
    await _add(tx, new, recording_id, started_at)


async def describe(tx: Transaction, take_id: UUID, format_: Format) -> None:
    """Keeps what the encoder was found to send."""
    take = await locked(tx, Take, take_id)
    take.video_codec, take.audio_codec = format_.video_codec, format_.audio_codec
    take.width, take.height, take.frame_rate = format_.width, format_.height, format_.frame_rate
    await tx.session.flush()


async def end(
    tx: Transaction,
    take_id: UUID,
    now: datetime,
    reason: str,
    refusal: str | None = None,
    findings: dict[str, Any] | None = None,
) -> bool:
    """Ends a take. False where it was over already: then nothing is changed but what only its own process can say."""
    take = await locked(tx, Take, take_id)
    take.findings = take.findings or findings
    if take.state == TakeState.ended:
        return False
    take.state = TAKE.move(take.state, TakeMove.end)
    take.ended_at = max(now, take.started_at)  # whose clock was set back meanwhile
    take.end_reason = reason
    take.refusal = refusal
    await tx.session.flush()
    await tx.fact(TakeEnded(session_id=take.session_id, take_id=take.id))
    return True


async def end_older(tx: Transaction, session_id: UUID, epoch: int, now: datetime) -> list[UUID]:
    """Ends the takes that were left publishing by owners before `epoch`; returns their ids."""
    statement = select(Take.id).where(
        Take.session_id == session_id, Take.state == TakeState.publishing, Take.epoch < epoch
    )
    left = list((await tx.session.scalars(statement)).all())
    return [take_id for take_id in left if await end(tx, take_id, now, "owner_lost")]


async def publishing(tx: Transaction, session_id: UUID, slot: Slot) -> Take | None:
    """The take that publishes into the slot now."""
    statement = select(Take).where(Take.session_id == session_id, Take.slot == slot, Take.state == TakeState.publishing)
    return (await tx.session.scalars(statement)).one_or_none()


async def publishing_in_department(tx: Transaction, department_id: UUID, *, beside: tuple[UUID, Slot]) -> int:
    """How many takes of the department's sessions publish now, on all nodes, not counting that session's slot.

    A session that is over publishes nothing, even where the node of its take died before it could say so.
    """
    session_id, slot = beside
    statement = (
        select(func.count())
        .select_from(Take)
        .join(Session, Session.id == Take.session_id)
        .where(Session.department_id == department_id, Session.state.not_in(_OVER))
        .where(Take.state == TakeState.publishing, or_(Take.session_id != session_id, Take.slot != slot))
    )
    return await tx.session.scalar(statement) or 0


async def publishing_by_department(tx: Transaction) -> dict[UUID, int]:
    """How many takes of each department's sessions publish now; departments without one are left out."""
    statement = (
        select(Session.department_id, func.count())
        .select_from(Take)
        .join(Session, Session.id == Take.session_id)
        .where(Session.department_id.is_not(None), Session.state.not_in(_OVER), Take.state == TakeState.publishing)
        .group_by(Session.department_id)
    )
    return {department: count for department, count in (await tx.session.execute(statement)).tuples() if department}


async def of_session(tx: Transaction, session_id: UUID) -> Sequence[Take]:
    """The session's takes in the order they began."""
    statement = select(Take).where(Take.session_id == session_id).order_by(Take.number)
    return (await tx.session.scalars(statement)).all()


async def put_init(
    tx: Transaction, take_id: UUID, number: int, object_key: str, sha256: bytes, size: int, tracks: list[dict[str, Any]]
) -> TakeInit:
    """Keeps an init segment; the take's init of that number, where it is there already, is returned as it is."""
    statement = (
        insert(TakeInit)
        .values(take_id=take_id, number=number, object_key=object_key, sha256=sha256, bytes=size, tracks=tracks)
        .on_conflict_do_nothing(index_elements=["take_id", "number"])
    )
    await tx.session.execute(statement)
    rows = await tx.session.scalars(select(TakeInit).where(TakeInit.take_id == take_id, TakeInit.number == number))
    return rows.one()


async def inits(tx: Transaction, take_id: UUID) -> Sequence[TakeInit]:
    """The take's inits that are in the store."""
    return (await tx.session.scalars(select(TakeInit).where(TakeInit.take_id == take_id))).all()


async def _add(
    tx: Transaction, new: NewTake, recording_id: UUID | None, started_at: datetime, over_at: datetime | None = None
) -> Take:
    """`over_at`: since when it is over, where another node had the session before this was written."""
    take = Take(
        id=new.id,
        session_id=new.session_id,
        recording_id=recording_id,
        slot=new.slot,
        number=await _next_number(tx, new.session_id),
        protocol=new.protocol,
        encoder=new.encoder,
        address=new.address,
        credential_id=new.credential_id,
        epoch=new.epoch,
        state=TakeState.publishing if over_at is None else TakeState.ended,
        started_at=started_at,
        ended_at=over_at,
        end_reason=None if over_at is None else "owner_lost",
    )
    tx.session.add(take)
    await tx.session.flush()
    await tx.fact(TakeStarted(session_id=new.session_id, take_id=take.id))
    if over_at is not None:
        await tx.fact(TakeEnded(session_id=new.session_id, take_id=take.id))
    return take


async def _next_number(tx: Transaction, session_id: UUID) -> int:
    highest = await tx.session.scalar(select(func.max(Take.number)).where(Take.session_id == session_id))
    return (highest or 0) + 1
