"""What a job's bad end leaves on its recording."""

from collections.abc import Iterator
from dataclasses import replace

import anyio.to_thread
import pytest

from domain.facts import ReelStored
from storage import workshop as installed
from storage.catalogue import work
from storage.catalogue.tables.work import Work
from storage.embedded import s3 as embedded_s3
from storage.worker import JobFailure
from storage.workshop import Place
from tests.conftest import CatalogueUrls
from tests.kit.fixtures import object_store_settings
from tests.transcode.conftest import NOW, Recorded
from transcode import failures, subjects
from transcode.jobs import encode_reel
from transcode.reactions import ENCODE_JOB, reel_stored
from transcode.settings import TranscodeSettings

pytestmark = pytest.mark.anyio

TRACE = """Traceback (most recent call last):
  File "transcode/ffmpeg.py", line 1, in run
    raise EncodeFailed(process.returncode, log)
transcode.ffmpeg.EncodeFailed: ffmpeg ended with code 1: no space left
[libx264] something before
no space left
"""


@pytest.fixture
def worker(
    catalogue_urls: CatalogueUrls, s3: embedded_s3.Running, workshop_settings: TranscodeSettings
) -> Iterator[None]:
    """This process set up as a worker is; jobs are plain functions that a horse calls."""
    storage = replace(object_store_settings(s3), database_url=catalogue_urls.app)
    before = installed._Installed.workshop
    installed.install(installed.Workshop(storage, lambda: NOW, {TranscodeSettings: workshop_settings}))
    yield
    installed._Installed.workshop = before


async def queued(here: Place, recorded: Recorded) -> str:
    reel = recorded.reels[0]
    async with here.catalogue.transaction() as tx:
        (order,) = await reel_stored(tx, ReelStored(recording_id=reel.recording_id, reel_id=reel.id), NOW)
    assert order.job == ENCODE_JOB
    return order.job_id


async def item(here: Place, subject: str) -> Work:
    async with here.catalogue.transaction() as tx:
        found = await work.find(tx, subject)
    assert found is not None
    return found


async def test_a_failure_is_shown_while_it_is_tried_again_and_kept_when_it_was_the_last(
    workshop: Place, recorded: Recorded, worker: None
) -> None:
    subject = await queued(workshop, recorded)
    for attempt, final, state in ((1, False, "queued"), (2, True, "failed")):
        async with workshop.catalogue.transaction() as tx:
            await work.start(tx, subject, NOW)
        failure = JobFailure(subject, ENCODE_JOB, (), "media", attempt, final, TRACE)
        for _ in range(2):
            await anyio.to_thread.run_sync(failures.record, failure)
        found = await item(workshop, subject)
        assert found.state == state
        assert found.error == "ffmpeg ended with code 1: no space left"
        assert found.log is not None
        assert "[libx264] something before" in found.log


async def test_the_job_does_the_work_once(workshop: Place, recorded: Recorded, worker: None) -> None:
    subject = await queued(workshop, recorded)
    reel = recorded.reels[0]
    for _ in range(2):
        await anyio.to_thread.run_sync(encode_reel, str(reel.id), str(recorded.plan.id))
    found = await item(workshop, subject)
    assert (found.state, found.attempts) == ("done", 1)
    assert subject == subjects.encode(reel.id, recorded.plan.id)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TRACE, "ffmpeg ended with code 1: no space left"),
        ("the process of the job was ended by signal 9", "the process of the job was ended by signal 9"),
        ("", "no reason was given"),
        ("Traceback (most recent call last):\n  File\nKeyError", "KeyError"),
    ],
)
def test_the_headline_is_the_exceptions_own_first_line(error: str, said: str) -> None:
    assert failures.headline(error) == said
