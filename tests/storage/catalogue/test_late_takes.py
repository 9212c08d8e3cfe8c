"""Takes whose rows are written after they began: once, in their order, and never a second owner's."""

from datetime import timedelta
from uuid import UUID

import pytest

from domain.kinds import Protocol, Slot
from domain.states import TakeState
from storage.catalogue import live_owner, takes
from storage.catalogue.identifiers import new_id
from storage.catalogue.tables.session import Session
from storage.catalogue.tables.take import Take
from storage.catalogue.takes import NewTake
from storage.catalogue.transaction import Catalogue
from tests.storage.catalogue.builders import NOON, place, session, take

pytestmark = pytest.mark.anyio
LATE = NOON + timedelta(seconds=30)
BACK = NOON + timedelta(minutes=10)


async def begun(catalogue: Catalogue) -> tuple[Session, Take]:
    """A class whose take publishes."""
    async with catalogue.transaction() as tx:
        live = await session(tx, await place(tx))
        return live, await take(tx, live)


async def write(catalogue: Catalogue, first: Take, take_id: UUID) -> None:
    """The row of a take that came behind `first` under the same epoch."""
    assert first.recording_id is not None
    new = NewTake(take_id, first.session_id, Slot.main, Protocol.rtmp, first.epoch)
    async with catalogue.transaction() as tx:
        await takes.start_late(tx, new, first.recording_id, LATE, BACK)


async def rows(catalogue: Catalogue, live: Session) -> list[tuple[int, str, str | None]]:
    async with catalogue.transaction() as tx:
        return [(one.number, one.state, one.end_reason) for one in await takes.of_session(tx, live.id)]


async def test_it_stands_behind_the_take_before_and_is_written_once(catalogue: Catalogue) -> None:
    live, first = await begun(catalogue)
    late = new_id()
    for _ in range(2):
        await write(catalogue, first, late)
    assert await rows(catalogue, live) == [(1, "ended", "taken_over"), (2, "publishing", None)]
    async with catalogue.transaction() as tx:
        _, found = await takes.of_session(tx, live.id)
        assert (found.id, found.started_at, found.recording_id) == (late, LATE, first.recording_id)
        await takes.end(tx, late, BACK, "unpublished")
    await write(catalogue, first, late)
    assert (await rows(catalogue, live))[1] == (2, "ended", "unpublished")


async def test_where_another_node_has_the_session_it_stands_as_ended_and_leaves_the_owners_alone(
    catalogue: Catalogue,
) -> None:
    live, first = await begun(catalogue)
    async with catalogue.transaction() as tx:
        epoch = await live_owner.claim(tx, live.id, "node-2", "http://two", LATE)
        await takes.end_older(tx, live.id, epoch, LATE)
        await takes.start(tx, NewTake(new_id(), live.id, Slot.main, Protocol.rtmp, epoch), LATE)
    late = new_id()
    await write(catalogue, first, late)
    assert await rows(catalogue, live) == [
        (1, "ended", "owner_lost"),
        (2, "publishing", None),
        (3, "ended", "owner_lost"),
    ]
    async with catalogue.transaction() as tx:
        found = (await takes.of_session(tx, live.id))[2]
        assert not await takes.end(tx, late, BACK, "owner_lost", None, {"gaps": 1}), "its process says what it found"
        owner = await live_owner.find(tx, live.id)
    assert (found.state, found.started_at, found.ended_at) == (TakeState.ended, LATE, BACK)
    assert found.recording_id == first.recording_id
    assert owner is not None
    assert (owner.node, owner.epoch) == ("node-2", epoch)
