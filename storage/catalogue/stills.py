"""Stills: a recording's poster and the pictures along its time line."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from storage.catalogue import recordings
from storage.catalogue.tables.still import Still, StillKind
from storage.catalogue.transaction import Transaction


async def put(
    tx: Transaction,
    recording_id: UUID,
    kind: StillKind,
    at_ms: int,
    object_key: str,
    *,
    width: int,
    height: int,
    size: int,
) -> None:
    """Keeps a picture; the one of that time is replaced. A poster becomes the recording's."""
    values = {"object_key": object_key, "width": width, "height": height, "bytes": size}
    statement = insert(Still).values(recording_id=recording_id, kind=kind, at_ms=at_ms, **values)
    key = ["recording_id", "kind", "at_ms"]
    await tx.session.execute(statement.on_conflict_do_update(index_elements=key, set_=values))
    if kind == StillKind.poster:
        await recordings.set_poster(tx, recording_id, object_key)


async def of_recording(tx: Transaction, recording_id: UUID) -> Sequence[Still]:
    """The recording's pictures in the order of its time line, its poster first."""
    statement = select(Still).where(Still.recording_id == recording_id).order_by(Still.kind, Still.at_ms)
    return (await tx.session.scalars(statement)).all()
