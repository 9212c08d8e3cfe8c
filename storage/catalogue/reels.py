"""Reels: stored once, whatever is sent again. The row, the recording's growth and the fact stand or fall together.

Each is one statement: a process that catches up after an outage stores many, and every round trip holds the row's lock.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.dialects.postgresql import insert

from domain.facts import ReelStored
from domain.kinds import Slot
from storage.catalogue import recordings
from storage.catalogue.tables.base import Digest
from storage.catalogue.tables.reel import Reel
from storage.catalogue.tables.take import Take
from storage.catalogue.tables.take_init import TakeInit
from storage.catalogue.transaction import Transaction


@dataclass(frozen=True, slots=True)
class NewReel:
    """A reel that lies in the object store, read back and verified."""

    recording_id: UUID
    take_id: UUID
    init_id: UUID
    object_key: str
    bytes: int
    sha256: Digest
    duration_ms: int
    starts_at: datetime
    first_msn: int
    segments: list[dict[str, Any]]
    discontinuity: bool
    stored_at: datetime
    verified_at: datetime
    tracks: list[dict[str, Any]] | None = None
    number: int | None = None
    """None takes the recording's next one, and so does a number that another node's reel has by now."""
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """A reel in its place: what a playlist needs beside it."""

    reel: Reel
    init: TakeInit
    take_number: int


async def store(tx: Transaction, new: NewReel) -> Reel:
    """Keeps a reel and tells it. One that is there already (same take, same first segment) is returned as it is.

    ValueError where it is there with other bytes: two recordings of one stretch must never be mixed. RecordingGone.
    """
    await recordings.grow(tx, new.recording_id, duration_ms=new.duration_ms, size=new.bytes)  # and locks it
    values = {column: getattr(new, column) for column in _AS_THEY_ARE} | {"number": _number(new)}
    if new.id is not None:
        values["id"] = new.id
    kept = insert(Reel).values(values).on_conflict_do_nothing(index_elements=["take_id", "first_msn"]).returning(Reel)
    reel = (await tx.session.scalars(kept)).one_or_none()
    if reel is None:
        await recordings.grow(tx, new.recording_id, duration_ms=-new.duration_ms, size=-new.bytes)
        return await _there(tx, new)
    await tx.fact(ReelStored(recording_id=new.recording_id, reel_id=reel.id))
    return reel


async def highest_number(tx: Transaction, recording_id: UUID) -> int:
    """The highest number of the recording's reels; 0 where there are none."""
    return await tx.session.scalar(select(func.max(Reel.number)).where(Reel.recording_id == recording_id)) or 0


async def get(tx: Transaction, reel_id: UUID) -> Placed | None:
    """A reel in its place; None where there is none, or no longer."""
    statement = _placed().where(Reel.id == reel_id)
    row = (await tx.session.execute(statement)).one_or_none()
    return None if row is None else Placed(*row.tuple())


async def of_recording(tx: Transaction, recording_id: UUID, slot: Slot = Slot.main) -> list[Placed]:
    """The recording's reels in the order of play: by take, then by segment. A backup's stand beside, not between."""
    which = (Reel.recording_id == recording_id, Take.slot == slot)
    statement = _placed().where(*which).order_by(Take.number, Reel.first_msn)
    return [Placed(*row.tuple()) for row in (await tx.session.execute(statement)).all()]


async def of_take(tx: Transaction, take_id: UUID) -> Sequence[Reel]:
    """The take's stored reels in order: what a recovering uploader need not send again."""
    return (await tx.session.scalars(select(Reel).where(Reel.take_id == take_id).order_by(Reel.first_msn))).all()


_AS_THEY_ARE = tuple(one.name for one in fields(NewReel) if one.name not in ("id", "number"))


def _number(new: NewReel) -> ColumnElement[int] | int:
    """The recording is locked: what is free stays free to the transaction's end."""
    of_recording = select(Reel.id).where(Reel.recording_id == new.recording_id)
    next_one = of_recording.with_only_columns(func.coalesce(func.max(Reel.number), 0) + 1).scalar_subquery()
    if new.number is None:
        return next_one
    return case((of_recording.where(Reel.number == new.number).exists(), next_one), else_=new.number)


async def _there(tx: Transaction, new: NewReel) -> Reel:
    """The reel that is there already."""
    statement = select(Reel).where(Reel.take_id == new.take_id, Reel.first_msn == new.first_msn)
    there = (await tx.session.scalars(statement)).one()
    if there.sha256 != new.sha256:
        raise ValueError(f"take {new.take_id} has another reel from segment {new.first_msn} on")
    return there


def _placed() -> Select[Reel, TakeInit, int]:
    return (
        select(Reel, TakeInit, Take.number)
        .join(TakeInit, TakeInit.id == Reel.init_id)
        .join(Take, Take.id == Reel.take_id)
    )
