"""The scheduler's duties on real stores, each by the clock it is given."""

import asyncio
import contextlib
import dataclasses
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from domain.facts import SessionEnded
from domain.states import RecordingState, SessionMove, SessionState
from lectern.outbox_pump import OutboxPump
from lectern.scheduler import Scheduler
from lectern.settings import Settings, load
from storage.catalogue import recordings, sessions
from storage.catalogue.audit_chain import verify_chain
from storage.catalogue.sessions import CONTROL_CHANNEL
from storage.catalogue.tables.audit_anchor import AuditAnchor
from storage.catalogue.tables.audit_entry import AuditEntry
from storage.catalogue.tables.audit_seal import AuditSeal
from storage.catalogue.tables.fact import FactRow
from storage.catalogue.tables.session import Session
from storage.catalogue.transaction import Catalogue
from storage.embedded import s3 as embedded_s3
from storage.objects import keys
from storage.objects.store import ObjectStore
from tests.kit.fixtures import object_store_settings
from tests.storage.catalogue import builders
from tests.storage.catalogue.builders import NOON
from tests.storage.catalogue.trail import enter

pytestmark = pytest.mark.anyio

WAIT_SECONDS = 30.0


@dataclass
class Clock:
    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def settings(s3: embedded_s3.Running) -> Settings:
    """A bucket of this test's own: every catalogue's first seal has the same number."""
    storage = dataclasses.replace(object_store_settings(s3), s3_bucket=f"test-{uuid4().hex[:12]}")
    return dataclasses.replace(load({}), storage=storage)


@pytest.fixture
def bucket(settings: Settings) -> ObjectStore:
    made = ObjectStore(settings.storage)
    made.ensure_bucket()
    return made


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def scheduler(catalogue: Catalogue, bucket: ObjectStore, settings: Settings, clock: Clock) -> Scheduler:
    return Scheduler(catalogue, bucket, settings, OutboxPump(catalogue, [], lambda order: None, clock), clock)


# Sealing


async def test_what_is_sealed_lies_outside_the_catalogue_too(
    scheduler: Scheduler, catalogue: Catalogue, bucket: ObjectStore
) -> None:
    await enter(catalogue, 3)
    await scheduler.seal()
    async with catalogue.transaction() as tx:
        (seal,) = (await tx.session.scalars(select(AuditSeal))).all()
        (anchor,) = (await tx.session.scalars(select(AuditAnchor))).all()
    assert (anchor.seal_id, anchor.object_key, anchor.anchored_at) == (seal.id, keys.audit_anchor(seal.id), NOON)
    written = json.loads(bucket.read(anchor.object_key))
    assert written == {"seal": seal.id, "last_entry": 3, "hash": seal.hash.hex()}
    async with catalogue.transaction() as tx:
        assert (await verify_chain(tx, {written["seal"]: bytes.fromhex(written["hash"])})).holds


async def test_nothing_new_makes_no_seal_and_no_anchor(
    scheduler: Scheduler, catalogue: Catalogue, bucket: ObjectStore
) -> None:
    await scheduler.seal()
    assert list(bucket.list_prefix("audit/")) == []
    await enter(catalogue, 1)
    for _ in range(3):
        await scheduler.seal()
    assert [one.key for one in bucket.list_prefix("audit/")] == [keys.audit_anchor(1)]


async def test_a_seal_that_could_not_be_anchored_is_anchored_by_the_next_turn(
    scheduler: Scheduler, catalogue: Catalogue, bucket: ObjectStore, settings: Settings, clock: Clock, dead_port: int
) -> None:
    away = dataclasses.replace(settings.storage, s3_endpoint=f"127.0.0.1:{dead_port}")
    cut_off = Scheduler(catalogue, ObjectStore(away), settings, OutboxPump(catalogue, [], lambda _: None, clock), clock)
    await enter(catalogue, 2)
    with pytest.raises(Exception, match="audit/"):
        await cut_off.seal()
    async with catalogue.transaction() as tx:
        assert await tx.session.scalar(select(func.count()).select_from(AuditSeal)) == 1
        assert await tx.session.scalar(select(func.count()).select_from(AuditAnchor)) == 0
    await scheduler.seal()
    assert [one.key for one in bucket.list_prefix("audit/")] == [keys.audit_anchor(1)]


# Overrun


async def state_of(catalogue: Catalogue, session_id: UUID) -> Session:
    async with catalogue.transaction() as tx:
        return await sessions.get(tx, session_id)


async def in_state(catalogue: Catalogue, *moves: SessionMove) -> UUID:
    async with catalogue.transaction() as tx:
        made = await builders.session(tx, await builders.place(tx, uuid4().hex[:8]))
        for move in moves:
            await sessions.move(tx, made, move, NOON, "test")
        return made.id


@pytest.mark.parametrize("moves", [(), (SessionMove.go_live,), (SessionMove.go_live, SessionMove.cut)])
async def test_who_runs_over_is_ended_once_and_its_node_is_told(
    scheduler: Scheduler, catalogue: Catalogue, clock: Clock, settings: Settings, moves: tuple[SessionMove, ...]
) -> None:
    session_id = await in_state(catalogue, *moves)
    ends_at = NOON + timedelta(hours=2)
    clock.now = ends_at + timedelta(seconds=settings.ingest.overrun_seconds - 1)
    await scheduler.end_overrun()
    assert (await state_of(catalogue, session_id)).state != SessionState.ended
    clock.now += timedelta(seconds=1)
    async with catalogue.listen([CONTROL_CHANNEL]) as notes:
        await scheduler.end_overrun()
        async with asyncio.timeout(WAIT_SECONDS):
            note = await anext(aiter(notes))
        await scheduler.end_overrun()
    ended = await state_of(catalogue, session_id)
    said = {"session_id": str(session_id), "command": "end", "reason": "overrun", "number": ended.version}
    assert json.loads(note.payload) == said
    assert (ended.state, ended.end_reason, ended.ended_at) == (SessionState.ended, "overrun", clock.now)
    async with catalogue.transaction() as tx:
        facts = (await tx.session.scalars(select(FactRow).where(FactRow.name == SessionEnded.NAME))).all()
        entries = (await tx.session.scalars(select(AuditEntry).where(AuditEntry.action == "session_ended"))).all()
    assert [fact.payload for fact in facts] == [{"session_id": str(session_id)}]
    assert [(one.item_id, one.actor_name, one.details["reason"]) for one in entries] == [
        (str(session_id), "schedule overrun", "overrun")
    ]


async def test_what_was_cancelled_or_is_still_on_is_left_alone(
    scheduler: Scheduler, catalogue: Catalogue, clock: Clock
) -> None:
    cancelled, on = await in_state(catalogue, SessionMove.cancel), await in_state(catalogue, SessionMove.go_live)
    clock.now = NOON + timedelta(hours=1)
    await scheduler.end_overrun()
    assert (await state_of(catalogue, on)).state == SessionState.live
    clock.now = NOON + timedelta(days=1)
    await scheduler.end_overrun()
    assert (await state_of(catalogue, cancelled)).state == SessionState.cancelled


# Retention


async def recording_of_march(catalogue: Catalogue) -> UUID:
    """Ended on 2 March 2026 at noon in Beijing: its six months end on 2 September."""
    async with catalogue.transaction() as tx:
        return (await builders.stored_recording(tx, await builders.place(tx, uuid4().hex[:8]), NOON)).id


async def recording_state(catalogue: Catalogue, recording_id: UUID) -> RecordingState:
    async with catalogue.transaction() as tx:
        return RecordingState((await recordings.get(tx, recording_id)).state)


async def test_retention_runs_from_its_hour_on_in_the_institutes_zone_once_a_day(
    scheduler: Scheduler, catalogue: Catalogue, clock: Clock
) -> None:
    first = await recording_of_march(catalogue)
    # 02:59 in Beijing on 3 September is not its hour yet, though in London it is the day before.
    clock.now = datetime(2026, 9, 2, 18, 59, tzinfo=UTC)
    await scheduler.run_retention_if_due()
    assert await recording_state(catalogue, first) == RecordingState.stored
    clock.now += timedelta(minutes=1)
    await scheduler.run_retention_if_due()
    assert await recording_state(catalogue, first) == RecordingState.marked
    # What comes due later on that day waits for the next.
    second = await recording_of_march(catalogue)
    for hours in (1, 6, 14):
        clock.now += timedelta(hours=hours)
        await scheduler.run_retention_if_due()
    assert await recording_state(catalogue, second) == RecordingState.stored
    clock.now = datetime(2026, 9, 3, 19, 0, tzinfo=UTC)
    await scheduler.run_retention_if_due()
    assert await recording_state(catalogue, second) == RecordingState.marked


async def test_a_day_that_was_missed_is_made_up_when_the_scheduler_is_back(
    scheduler: Scheduler, catalogue: Catalogue, clock: Clock
) -> None:
    recording_id = await recording_of_march(catalogue)
    clock.now = datetime(2026, 9, 20, 15, 30, tzinfo=UTC)
    await scheduler.run_retention_if_due()
    assert await recording_state(catalogue, recording_id) == RecordingState.marked


async def test_a_run_that_failed_is_tried_again_on_the_same_day(
    catalogue: Catalogue, bucket: ObjectStore, settings: Settings, clock: Clock
) -> None:
    recording_id = await recording_of_march(catalogue)
    lost = Catalogue("postgresql://nobody:x@127.0.0.1:1/nothing")
    pump = OutboxPump(catalogue, [], lambda _: None, clock)
    clock.now = datetime(2026, 9, 2, 20, 0, tzinfo=UTC)
    duty = Scheduler(lost, bucket, settings, pump, clock)
    with pytest.raises(Exception, match="refused"):
        await duty.run_retention_if_due()
    await lost.close()
    duty._catalogue = catalogue
    await duty.run_retention_if_due()
    assert await recording_state(catalogue, recording_id) == RecordingState.marked


# All duties


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while not await true():  # noqa: ASYNC110 - another task's work, no event to wait on
            await asyncio.sleep(0.05)


async def test_a_store_that_is_away_stops_its_own_duty_alone(
    catalogue: Catalogue, settings: Settings, dead_port: int
) -> None:
    """The object store is away: nothing is anchored, yet overruns end and facts are delivered."""
    away = dataclasses.replace(settings.storage, s3_endpoint=f"127.0.0.1:{dead_port}")
    clock = Clock(datetime.now(UTC) + timedelta(days=1))
    pump = OutboxPump(catalogue, [], lambda _: None, clock)
    scheduler = Scheduler(catalogue, ObjectStore(away), settings, pump, clock)
    session_id = await in_state(catalogue, SessionMove.go_live)
    running = asyncio.create_task(scheduler.run())

    async def done() -> bool:
        async with catalogue.transaction() as tx:
            waiting = await tx.session.scalar(
                select(func.count()).select_from(FactRow).where(FactRow.delivered_at.is_(None))
            )
        return (await state_of(catalogue, session_id)).state == SessionState.ended and waiting == 0

    await until(done)
    assert not running.done()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
