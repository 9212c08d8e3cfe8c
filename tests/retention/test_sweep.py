"""The retention clock over real rows and objects; every instant is an argument."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from retention.sweep import Sweep
from storage.catalogue import audit, certificates, holds, notices, recordings
from storage.catalogue.tables.recording import Recording
from storage.catalogue.transaction import Catalogue
from storage.objects import keys
from storage.objects.faults import ObjectStoreUnavailable
from storage.objects.purge import Deleted
from storage.objects.store import ObjectStore
from storage.settings import StorageSettings
from tests.retention.conftest import NOW, promote, state_of

pytestmark = pytest.mark.anyio

# Six calendar months after noon of 2 March in Beijing.
DUE = datetime(2026, 9, 2, 4, 0, tzinfo=UTC)
GRACE = timedelta(hours=72)


async def test_six_months_to_the_minute_then_the_trash_then_the_certificate(
    sweep: Sweep, recording: Recording, catalogue: Catalogue, object_store: ObjectStore
) -> None:
    assert (await sweep.run(DUE - timedelta(minutes=1))).marked == []
    assert (await sweep.run(DUE)).marked == [recording.id]
    assert await state_of(catalogue, recording) == "marked"
    waiting = await sweep.run(DUE + GRACE - timedelta(minutes=1))
    assert (waiting.marked, waiting.purged) == ([], [])
    (certificate,) = (await sweep.run(DUE + GRACE)).purged
    assert certificate.recording_id == recording.id
    assert (certificate.objects, certificate.bytes) == (3, 2100)
    assert object_store.prefix_is_empty(keys.recording_prefix(recording.id))
    assert await state_of(catalogue, recording) == "purged"
    assert (await sweep.run(DUE + GRACE)).purged == []
    async with catalogue.transaction() as tx:
        assert await certificates.altered(tx) == []


async def test_a_plan_changes_nothing(sweep: Sweep, recording: Recording, catalogue: Catalogue) -> None:
    plan = await sweep.plan(DUE)
    assert (plan.due, plan.held, plan.marked) == (1, 0, 0)
    assert await state_of(catalogue, recording) == "stored"


async def test_a_hold_keeps_it_before_and_within_the_trash(
    sweep: Sweep, recording: Recording, catalogue: Catalogue
) -> None:
    async with catalogue.transaction() as tx:
        hold = await holds.place(tx, recording.id, "投诉", None, NOW)
    assert (await sweep.run(DUE)).marked == []
    async with catalogue.transaction() as tx:
        await holds.lift(tx, recording.id, hold.id, None, "", NOW)
    await sweep.run(DUE)
    async with catalogue.transaction() as tx:
        await holds.place(tx, recording.id, "又有投诉", None, NOW)
    assert (await sweep.run(DUE + GRACE)).purged == []
    assert await state_of(catalogue, recording) == "marked"


async def test_what_became_a_course_is_left_alone(sweep: Sweep, recording: Recording, catalogue: Catalogue) -> None:
    await promote(catalogue, recording)
    report = await sweep.run(DUE + timedelta(days=3650))
    assert (report.marked, report.purged, report.failed) == ([], [], {})
    assert await state_of(catalogue, recording) == "promoted"


async def test_only_narrows_a_run(sweep: Sweep, recording: Recording) -> None:
    assert (await replace(sweep, only=[]).run(DUE)).marked == []
    assert (await replace(sweep, only=[recording.id]).run(DUE)).marked == [recording.id]


async def test_a_store_that_is_away_leaves_it_purging_and_the_next_run_ends_it(
    sweep: Sweep, recording: Recording, catalogue: Catalogue
) -> None:
    """The store's address answers nobody: refused at once, as when the server is down."""
    nowhere = ObjectStore(StorageSettings(s3_endpoint="127.0.0.1:9", s3_access_key="a", s3_secret_key="b" * 8))
    await sweep.run(DUE)
    failed = await replace(sweep, objects=nowhere).run(DUE + GRACE)
    assert list(failed.failed) == [recording.id]
    assert await state_of(catalogue, recording) == "purging"
    assert [one.recording_id for one in (await sweep.run(DUE + GRACE)).purged] == [recording.id]


class _StopsHalfway(ObjectStore):
    """Deletes everything, then the process dies before it can say so."""

    def delete_prefix(self, prefix: str) -> Deleted:
        super().delete_prefix(prefix)
        raise ObjectStoreUnavailable(prefix, "killed here")


async def test_a_purge_cut_short_after_the_last_object_is_certified_by_the_next_run(
    sweep: Sweep, recording: Recording, object_store: ObjectStore
) -> None:
    halfway = _StopsHalfway.__new__(_StopsHalfway)
    halfway.__dict__ = object_store.__dict__
    await sweep.run(DUE)
    assert list((await replace(sweep, objects=halfway).run(DUE + GRACE)).failed) == [recording.id]
    (certificate,) = (await sweep.run(DUE + GRACE)).purged
    assert certificate.objects == 0


async def test_notices_at_thirty_seven_and_one_days_once_each(
    sweep: Sweep, recording: Recording, catalogue: Catalogue
) -> None:
    sent = [(await sweep.run(DUE - timedelta(days=days))).notices for days in (31, 30, 29, 7, 6, 1, 0.5)]
    assert sent == [0, 1, 0, 1, 0, 1, 0]
    async with catalogue.transaction() as tx:
        (found,) = await notices.expiring(tx, DUE - timedelta(days=1), 30)
    assert found.sent == {30, 7, 1}


async def test_an_outage_over_two_notices_sends_one(sweep: Sweep, recording: Recording) -> None:
    assert (await sweep.run(DUE - timedelta(days=1))).notices == 1


async def test_the_trail_tells_each_step(sweep: Sweep, recording: Recording, catalogue: Catalogue) -> None:
    await sweep.run(DUE)
    await sweep.run(DUE + GRACE)
    async with catalogue.transaction() as tx:
        told = await audit.entries(tx, audit.Wanted(item_kind="recording", item_id=str(recording.id)))
        assert {"recording_marked", "recording_purged"} <= {one.action for one in told}
        assert (await recordings.get(tx, recording.id)).purged_at == NOW
