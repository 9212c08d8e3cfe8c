"""Orders on a live session: late ones, those that come twice, what a row brings, and a row that was read too early.

The rows are PostgreSQL's; the session is fed by hand.
"""

from dataclasses import dataclass, field
from uuid import UUID

import pytest

from domain.broadcast_delay import SILENCE_SECONDS
from ingest import orders
from ingest.guard import Guard
from ingest.live_session import LiveSession
from ingest.orders import Order, carry_out
from ingest.settings import IngestSettings
from storage.catalogue import sessions
from storage.catalogue.transaction import Catalogue, Transaction
from tests.ingest.classroom import Lesson, lesson, order
from tests.ingest.live_house import House, lecture

pytestmark = pytest.mark.anyio


@dataclass
class Held:
    """The part of `Lives` that orders ask."""

    house: House
    session_id: UUID
    guard: Guard = field(default_factory=Guard)

    @property
    def sessions(self) -> dict[UUID, LiveSession]:
        return {self.session_id: self.house.session}

    def find(self, session_id: UUID) -> LiveSession | None:
        return self.sessions.get(session_id)

    def clock(self) -> float:
        return self.house.seconds


@dataclass
class Stand:
    house: House
    lives: Held
    told: Lesson
    catalogue: Catalogue

    @property
    def session(self) -> LiveSession:
        return self.house.session

    def is_cut(self) -> bool:
        return self.session.gate.is_cut

    def carry(self, command: str, number: int) -> bool:
        return carry_out(self.lives, Order(self.told.session_id, command, "r", number))  # type: ignore[arg-type]

    async def reconcile(self) -> None:
        await orders.reconcile(self.catalogue, self.lives)  # type: ignore[arg-type]


@pytest.fixture
async def stand(settings: IngestSettings, catalogue: Catalogue) -> Stand:
    """A session that is live, in its row and by hand."""
    told = await lesson(catalogue)
    await order(catalogue, told.session_id, "go_live")
    house = House(settings)
    house.feed(house.take(), lecture(3))
    return Stand(house, Held(house, told.session_id), told, catalogue)


async def test_an_order_that_was_overtaken_changes_nothing(stand: Stand) -> None:
    assert stand.carry("cut", 3)
    assert stand.is_cut()
    assert stand.carry("resume", 2)
    assert stand.is_cut(), "a resume from before the cut, come late or played back"
    assert stand.carry("resume", 4)
    assert not stand.is_cut()
    assert stand.carry("cut", 3)
    assert not stand.is_cut()


async def test_a_kick_said_twice_ends_one_take(stand: Stand) -> None:
    assert stand.carry("kick", 3)
    assert stand.house.ended == [("kicked", None)]
    stand.house.feed(stand.house.take(), lecture(1))
    assert stand.carry("kick", 3)
    assert stand.session.take is not None
    assert stand.carry("kick", 4)
    assert stand.session.take is None


async def test_a_kick_is_not_lost_behind_what_its_row_says(stand: Stand) -> None:
    await order(stand.catalogue, stand.told.session_id, "kick")
    await stand.reconcile()
    assert stand.carry("kick", stand.session.obeyed)
    assert stand.house.ended == [("kicked", None)]


async def test_what_no_order_brought_the_row_does(stand: Stand) -> None:
    await order(stand.catalogue, stand.told.session_id, "cut", "a mistake")
    await stand.reconcile()
    assert stand.is_cut()
    await order(stand.catalogue, stand.told.session_id, "resume")
    await stand.reconcile()
    assert not stand.is_cut()
    await order(stand.catalogue, stand.told.session_id, "end", "下课")
    await stand.reconcile()
    assert stand.house.ended == [("下课", None)]


async def test_a_row_that_was_read_before_a_cut_does_not_undo_it(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cut comes while the row, read as live, is on its way."""
    read = sessions.by_id

    async def slowly(tx: Transaction, ids: list[UUID]) -> dict[UUID, object]:
        rows = await read(tx, ids)
        await order(stand.catalogue, stand.told.session_id, "cut")
        async with stand.catalogue.transaction() as other:
            number = (await sessions.get(other, stand.told.session_id)).version
        stand.carry("cut", number)
        return dict(rows)

    monkeypatch.setattr(sessions, "by_id", slowly)
    await stand.reconcile()
    assert stand.is_cut()


async def test_only_a_row_that_was_read_lets_a_reviewed_gate_go_on(
    settings: IngestSettings, catalogue: Catalogue
) -> None:
    told = await lesson(catalogue, delay_seconds=5)
    await order(catalogue, told.session_id, "go_live")
    house = House(settings, delay_seconds=5.0, reviewed=True)
    stand = Stand(house, Held(house, told.session_id), told, catalogue)
    assert orders.reviewed(stand.lives) == [house.session.facts.session_id]  # type: ignore[arg-type]
    assert house.session.gate.is_frozen(house.seconds)
    await stand.reconcile()
    assert not house.session.gate.is_frozen(house.seconds + SILENCE_SECONDS)
    assert house.session.gate.is_frozen(house.seconds + SILENCE_SECONDS + 0.001)
    house.seconds += 10
    await order(catalogue, told.session_id, "cut")
    await stand.reconcile()
    assert house.session.gate.is_cut, "obeyed before it is trusted again"
