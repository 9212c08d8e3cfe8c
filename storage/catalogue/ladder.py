"""The ladder: its plans, and each reel's renditions under a plan. A result is stored once, whoever sends it again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from storage.catalogue.tables.base import Digest
from storage.catalogue.tables.ladder_plan import LadderPlan
from storage.catalogue.tables.reel import Reel
from storage.catalogue.tables.rendition_reel import RenditionReel
from storage.catalogue.tables.take import Take
from storage.catalogue.transaction import Transaction


@dataclass(frozen=True, slots=True)
class NewRenditionReel:
    """An encoded reel that lies in the object store, read back and verified."""

    reel_id: UUID
    recording_id: UUID
    ladder_plan_id: UUID
    rendition: str
    init_key: str
    object_key: str
    bytes: int
    sha256: Digest
    duration_ms: int
    segments: list[dict[str, Any]]
    width: int
    height: int
    bit_rate: int


async def put_plan(tx: Transaction, slug: str, renditions: list[dict[str, Any]]) -> LadderPlan:
    """The plan called `slug`, made where it is missing and made the active one.

    ValueError where it is there with other renditions: a changed plan is a new plan, with a name of its own.
    """
    statement = insert(LadderPlan).values(slug=slug, renditions=renditions, active=True)
    await tx.session.execute(statement.on_conflict_do_nothing(index_elements=["slug"]))
    plan = (await tx.session.scalars(select(LadderPlan).where(LadderPlan.slug == slug).with_for_update())).one()
    if plan.renditions != renditions:
        raise ValueError(f"ladder plan {slug!r} is stored with other renditions")
    await tx.session.execute(update(LadderPlan).values(active=LadderPlan.slug == slug))
    await tx.session.refresh(plan)
    return plan


async def active_plan(tx: Transaction) -> LadderPlan | None:
    """The plan that new reels are encoded to."""
    statement = select(LadderPlan).where(LadderPlan.active).order_by(LadderPlan.created_at.desc()).limit(1)
    return (await tx.session.scalars(statement)).one_or_none()


async def plan(tx: Transaction, plan_id: UUID) -> LadderPlan | None:
    """The plan with this id."""
    return await tx.session.get(LadderPlan, plan_id)


async def store(tx: Transaction, new: NewRenditionReel) -> RenditionReel:
    """Keeps a rendition of a reel. One that is there already (same reel, plan and rendition) is returned as it is."""
    values = {name: getattr(new, name) for name in new.__slots__}
    key = ["reel_id", "ladder_plan_id", "rendition"]
    await tx.session.execute(insert(RenditionReel).values(**values).on_conflict_do_nothing(index_elements=key))
    statement = select(RenditionReel).where(
        RenditionReel.reel_id == new.reel_id,
        RenditionReel.ladder_plan_id == new.ladder_plan_id,
        RenditionReel.rendition == new.rendition,
    )
    return (await tx.session.scalars(statement)).one()


async def of_reel(tx: Transaction, reel_id: UUID, plan_id: UUID) -> Sequence[RenditionReel]:
    """The reel's renditions under the plan."""
    statement = select(RenditionReel).where(RenditionReel.reel_id == reel_id, RenditionReel.ladder_plan_id == plan_id)
    return (await tx.session.scalars(statement.order_by(RenditionReel.rendition))).all()


async def of_recording(tx: Transaction, recording_id: UUID) -> Sequence[RenditionReel]:
    """Every rendition of every reel, by rendition and then in the order of play."""
    statement = (
        select(RenditionReel)
        .join(Reel, Reel.id == RenditionReel.reel_id)
        .join(Take, Take.id == Reel.take_id)
        .where(RenditionReel.recording_id == recording_id)
        .order_by(RenditionReel.rendition, Take.number, Reel.first_msn)
    )
    return (await tx.session.scalars(statement)).all()
