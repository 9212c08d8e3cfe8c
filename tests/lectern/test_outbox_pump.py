"""Facts to jobs, on a real catalogue and a real queue: at least once, whatever dies in between."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
import redis
from sqlalchemy import func, select

from domain.facts import Fact, RecordingStored, SessionEnded, TakeEnded
from lectern.outbox_pump import KEEP_DAYS, OutboxPump
from storage import queue
from storage.catalogue.address import for_libpq, name_of_database
from storage.catalogue.outbox import Backlog, backlog, wait_seconds
from storage.catalogue.tables.fact import FactRow
from storage.catalogue.transaction import Catalogue, Transaction
from storage.embedded import postgres as embedded_postgres
from storage.embedded import valkey as embedded_valkey
from storage.reactions import JobOrder, Reactions

pytestmark = pytest.mark.anyio

JOB = "tests.storage.queue_jobs.note"
WAIT_SECONDS = 30.0


@dataclass
class Clock:
    now: datetime

    def __call__(self) -> datetime:
        return self.now


async def told(catalogue: Catalogue, *facts: Fact) -> Clock:
    """Tells facts; a clock at an instant at which all of them are due."""
    async with catalogue.transaction() as tx:
        await tx.facts(facts)
        now = await tx.session.scalar(select(func.clock_timestamp()))
    assert now is not None
    return Clock(now)


async def rows(catalogue: Catalogue) -> list[FactRow]:
    async with catalogue.transaction() as tx:
        return list((await tx.session.scalars(select(FactRow).order_by(FactRow.id))).all())


def orders_of(*ids: UUID) -> list[JobOrder]:
    return [JobOrder("media", JOB, (str(one),), f"note-{one}") for one in ids]


async def on_ended(tx: Transaction, fact: SessionEnded, now: datetime) -> Sequence[JobOrder]:
    return orders_of(fact.session_id)


async def on_stored(tx: Transaction, fact: RecordingStored, now: datetime) -> Sequence[JobOrder]:
    return orders_of(fact.recording_id)


class Broken:
    """A reaction that raises until it is mended, and counts how often it was asked."""

    def __init__(self) -> None:
        self.mended = False
        self.asked = 0

    async def __call__(self, tx: Transaction, fact: SessionEnded, now: datetime) -> Sequence[JobOrder]:
        self.asked += 1
        if not self.mended:
            raise ValueError("no such session")
        return orders_of(fact.session_id)


@pytest.fixture
def put(valkey_connection: "redis.Redis") -> Callable[[JobOrder], object]:
    def enqueue(order: JobOrder) -> bool:
        return queue.enqueue(valkey_connection, order.queue, order.job, *order.arguments, job_id=order.job_id)

    return enqueue


def waiting(connection: "redis.Redis", name: str = "media") -> list[str]:
    return list(queue.LecternQueue(name, connection).job_ids)


async def test_every_rooms_reactions_are_asked_and_their_jobs_wait_in_the_facts_order(
    catalogue: Catalogue, put: Callable[[JobOrder], object], valkey_connection: "redis.Redis"
) -> None:
    one, other = SessionEnded(session_id=uuid4()), RecordingStored(recording_id=uuid4())
    unheard = TakeEnded(session_id=uuid4(), take_id=uuid4())
    clock = await told(catalogue, one, unheard, other)
    again: Reactions = {SessionEnded: on_ended}
    pump = OutboxPump(catalogue, [{SessionEnded: on_ended, RecordingStored: on_stored}, again], put, clock)
    assert await pump.deliver_due() == 3
    # Both rooms ordered the first one's job: it is one job by its id.
    assert waiting(valkey_connection) == [f"note-{one.session_id}", f"note-{other.recording_id}"]
    assert [row.delivered_at for row in await rows(catalogue)] == [clock.now] * 3
    assert await pump.deliver_due() == 0


async def test_a_failing_reaction_waits_longer_each_time_and_holds_nobody_up(
    catalogue: Catalogue, put: Callable[[JobOrder], object], valkey_connection: "redis.Redis"
) -> None:
    bad, fine = SessionEnded(session_id=uuid4()), RecordingStored(recording_id=uuid4())
    clock = await told(catalogue, bad, fine)
    broken = Broken()
    pump = OutboxPump(catalogue, [{SessionEnded: broken, RecordingStored: on_stored}], put, clock)
    await pump.deliver_due()
    assert waiting(valkey_connection) == [f"note-{fine.recording_id}"]
    for attempt in range(1, 5):
        row = (await rows(catalogue))[0]
        assert (row.attempts, row.error, row.delivered_at) == (attempt, "ValueError: no such session", None)
        assert row.next_attempt_at == clock.now + timedelta(seconds=wait_seconds(attempt))
        clock.now = row.next_attempt_at - timedelta(milliseconds=1)
        assert await pump.deliver_due() == 0
        clock.now = row.next_attempt_at
        assert await pump.deliver_due() == 1
    broken.mended = True
    clock.now += timedelta(hours=1)
    await pump.deliver_due()
    assert (broken.asked, waiting(valkey_connection)[-1]) == (6, f"note-{bad.session_id}")
    async with catalogue.transaction() as tx:
        assert await backlog(tx) == Backlog(0, None, 0)


async def test_a_reaction_that_fails_leaves_no_half_of_what_it_wrote(
    catalogue: Catalogue, put: Callable[[JobOrder], object]
) -> None:
    async def half(tx: Transaction, fact: SessionEnded, now: datetime) -> Sequence[JobOrder]:
        await tx.fact(RecordingStored(recording_id=fact.session_id))
        raise ValueError("halfway")

    clock = await told(catalogue, SessionEnded(session_id=uuid4()))
    await OutboxPump(catalogue, [{SessionEnded: half}], put, clock).deliver_due()
    assert [row.name for row in await rows(catalogue)] == ["session_ended"]


async def test_a_fact_of_another_version_waits_and_is_not_lost(
    catalogue: Catalogue, put: Callable[[JobOrder], object]
) -> None:
    clock = await told(catalogue)
    async with catalogue.transaction() as tx:
        tx.session.add(FactRow(name="lamp_lit", payload={}))
    clock.now += timedelta(minutes=1)
    pump = OutboxPump(catalogue, [], put, clock)
    assert await pump.deliver_due() == 1
    (row,) = await rows(catalogue)
    assert (row.attempts, row.delivered_at) == (1, None)
    assert "lamp_lit" in (row.error or "")


class Killed(BaseException):
    """The process is gone: nothing after this line is run."""


async def test_a_pump_that_dies_between_its_rows_and_the_queue_delivers_again(
    catalogue: Catalogue, put: Callable[[JobOrder], object], valkey_connection: "redis.Redis"
) -> None:
    session_id = uuid4()
    clock = await told(catalogue, SessionEnded(session_id=session_id))

    async def writes(tx: Transaction, fact: SessionEnded, now: datetime) -> Sequence[JobOrder]:
        await tx.fact(RecordingStored(recording_id=fact.session_id))
        return orders_of(fact.session_id)

    def dies(order: JobOrder) -> None:
        raise Killed

    with pytest.raises(Killed):
        await OutboxPump(catalogue, [{SessionEnded: writes}], dies, clock).deliver_due()
    # Its rows are committed, its job is nowhere, and so the fact is not delivered.
    assert [(row.name, row.delivered_at) for row in await rows(catalogue)] == [
        ("session_ended", None),
        ("recording_stored", None),
    ]
    assert waiting(valkey_connection) == []
    await OutboxPump(catalogue, [{SessionEnded: writes}], put, clock).deliver_due()
    assert waiting(valkey_connection) == [f"note-{session_id}"]
    assert (await rows(catalogue))[0].delivered_at == clock.now


@contextlib.asynccontextmanager
async def running(pump: OutboxPump) -> AsyncIterator["asyncio.Task[None]"]:
    task = asyncio.create_task(pump.run())
    yield task
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def until_delivered(catalogue: Catalogue, count: int) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while sum(row.delivered_at is not None for row in await rows(catalogue)) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[embedded_valkey.Running]:
    """A queue to be taken away."""
    with embedded_valkey.start(tmp_path / "valkey", durable=False) as running_server:
        yield running_server


async def test_while_the_queue_is_away_facts_wait_and_no_attempt_is_counted(
    catalogue: Catalogue, own_valkey: embedded_valkey.Running, tmp_path: Path
) -> None:
    connection = queue.connect(own_valkey.url, patience_seconds=0.5)
    port = own_valkey.port

    def put(order: JobOrder) -> bool:
        return queue.enqueue(connection, order.queue, order.job, *order.arguments, job_id=order.job_id)

    await asyncio.to_thread(own_valkey.stop)
    session_id = uuid4()
    clock = await told(catalogue, SessionEnded(session_id=session_id))
    pump = OutboxPump(catalogue, [{SessionEnded: on_ended}], put, clock)
    with pytest.raises(redis.ConnectionError):
        await pump.deliver_due()
    (row,) = await rows(catalogue)
    assert (row.attempts, row.delivered_at) == (0, None)
    async with running(pump):
        back = await asyncio.to_thread(embedded_valkey.start, tmp_path / "valkey", port=port, durable=False)
        await until_delivered(catalogue, 1)
    assert waiting(connection) == [f"note-{session_id}"]
    connection.close()
    await asyncio.to_thread(back.stop)


async def test_a_lost_catalogue_is_waited_for_and_a_new_fact_is_heard_at_once(
    catalogue: Catalogue,
    put: Callable[[JobOrder], object],
    postgres: embedded_postgres.Running,
    valkey_connection: "redis.Redis",
) -> None:
    clock = await told(catalogue)
    clock.now += timedelta(days=1)
    async with running(OutboxPump(catalogue, [{SessionEnded: on_ended}], put, clock)) as task:
        await told(catalogue, SessionEnded(session_id=uuid4()))
        await until_delivered(catalogue, 1)
        with psycopg.connect(for_libpq(postgres.superuser_url), autocommit=True) as superuser:
            superuser.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                [name_of_database(catalogue.url)],
            )
        await told(catalogue, SessionEnded(session_id=uuid4()))
        await until_delivered(catalogue, 2)
        assert not task.done()
    assert len(waiting(valkey_connection)) == 2


async def test_what_was_delivered_long_ago_is_forgotten_and_nothing_else(
    catalogue: Catalogue, put: Callable[[JobOrder], object]
) -> None:
    clock = await told(catalogue, SessionEnded(session_id=uuid4()), RecordingStored(recording_id=uuid4()))
    pump = OutboxPump(catalogue, [{SessionEnded: Broken()}], put, clock)
    await pump.deliver_due()
    clock.now += timedelta(days=KEEP_DAYS, seconds=-1)
    assert await pump.forget_old() == 0
    clock.now += timedelta(seconds=2)
    assert await pump.forget_old() == 1
    assert [row.name for row in await rows(catalogue)] == ["session_ended"]
