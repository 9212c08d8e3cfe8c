"""A person's new try of failed work: its job, and that what becomes of the job is written on the work."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from domain.facts import WorkRetried
from storage.catalogue import work
from storage.catalogue.transaction import Catalogue
from tests.storage.catalogue import builders
from transcode import subjects
from transcode.reactions import REACTIONS

NOW = datetime(2026, 9, 14, 1, tzinfo=UTC)


def test_a_jobs_id_names_its_work_whichever_try_it_is() -> None:
    reel, plan = uuid4(), uuid4()
    subject = subjects.encode(reel, plan)
    assert subjects.encoded(subject) == (reel, plan)
    assert subjects.of_job(subject) == subject
    assert subjects.of_job(subjects.job(subject, 5)) == subject
    assert subjects.job(subject, 5) != subject


@pytest.mark.anyio
async def test_the_job_is_ordered_once_the_work_is_queued_anew(catalogue: Catalogue) -> None:
    reel, plan = uuid4(), uuid4()
    subject = subjects.encode(reel, plan)
    async with catalogue.transaction() as tx:
        place = await builders.place(tx, "s")
        recording = await builders.stored_recording(tx, place, NOW)
        await work.queue(tx, recording.id, subjects.ENCODE, subject, NOW)
        await work.start(tx, subject, NOW)
        item = await work.fail(tx, subject, NOW, "no")
        fact = WorkRetried(recording.id, item.id)
        assert await REACTIONS[WorkRetried](tx, fact, NOW) == (), "it has not been asked for"
        await work.try_again(tx, recording.id, item.id, NOW)
        (order,) = await REACTIONS[WorkRetried](tx, fact, NOW)
    assert order.arguments == (str(reel), str(plan))
    assert order.job_id == subjects.job(subject, 1)
