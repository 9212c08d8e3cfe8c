"""The queue with real workers in processes of their own, which get killed.

How to test here: jobs are in `queue_jobs.py`; a test waits for what they push to lists (`_next`), never for a time.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import as_text

from storage.embedded import valkey as embedded_valkey
from storage.queue import QUEUES, LecternQueue, connect, enqueue

ROOT = Path(__file__).parents[2]
JOBS = "tests.storage.queue_jobs"
TAKEN_AGAIN_SECONDS = 10.0

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def queue(valkey: embedded_valkey.Running, valkey_connection: redis.Redis) -> Iterator[redis.Redis]:
    with connect(valkey.url) as connection:
        yield connection


@pytest.fixture
def start_worker(valkey: embedded_valkey.Running, queue: redis.Redis) -> Iterator[Start]:
    """Start a worker by name; all are killed at the end."""
    with contextlib.ExitStack() as ending:

        def start(name: str, *arguments: str) -> "subprocess.Popen[bytes]":
            command = [sys.executable, "-m", JOBS, valkey.url, name, *arguments]
            process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
            ending.callback(process.wait)
            ending.callback(process.kill)
            return process

        yield start


def _next(connection: redis.Redis, name: str, seconds: float = 20.0) -> Any:
    """The next thing a job pushed to the list `name`."""
    found = connection.blpop([name], seconds)
    assert found is not None, f"nothing came on {name} within {seconds} s"
    value = as_text(found[1])
    return json.loads(value) if value.startswith(("[", "{")) else value


def _ended(connection: redis.Redis, job_id: str, status: str) -> Job:
    """Wait until the job's end is recorded."""
    until = time.monotonic() + 10.0
    while time.monotonic() < until:
        job = Job.fetch(job_id, connection, serializer=JSONSerializer)
        if job.get_status() == status:
            return job
        connection.blpop(["nothing"], 0.05)
    raise AssertionError(job.get_status())


def test_jobs_run_in_the_order_of_the_queues(queue: redis.Redis, start_worker: Start) -> None:
    for name in reversed(QUEUES):
        for number in range(2):
            assert enqueue(queue, name, f"{JOBS}.say", f"{name}{number}", job_id=f"{name}{number}")
    start_worker("a")
    said = [_next(queue, "said") for _ in range(6)]
    assert said == ["urgent0", "urgent1", "media0", "media1", "background0", "background1"]


def test_an_id_that_waits_or_runs_is_not_enqueued_again(queue: redis.Redis, start_worker: Start) -> None:
    assert enqueue(queue, "media", f"{JOBS}.linger", "x", job_id="reel-1")
    assert not enqueue(queue, "media", f"{JOBS}.linger", "x", job_id="reel-1")
    assert not enqueue(queue, "urgent", f"{JOBS}.linger", "x", job_id="reel-1")
    start_worker("a")
    _next(queue, "started")
    assert not enqueue(queue, "media", f"{JOBS}.linger", "x", job_id="reel-1")
    queue.rpush("go", 1)
    _next(queue, "ended")
    _ended(queue, "reel-1", "finished")
    assert enqueue(queue, "media", f"{JOBS}.linger", "again", job_id="reel-1")
    assert _next(queue, "started")[0] == "again"
    queue.rpush("go", 1)
    assert _next(queue, "ended") == "again"


def test_many_at_once_enqueue_it_once(queue: redis.Redis, valkey: embedded_valkey.Running) -> None:
    script = f"""
import sys
from storage.queue import connect, enqueue
connection = connect({valkey.url!r})
connection.blpop(["ready"], 20)
print(sum(enqueue(connection, "media", "{JOBS}.say", "x", job_id=f"job-{{n}}") for n in range(50)))
"""
    command = [sys.executable, "-c", script]
    processes = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    queue.rpush("ready", *range(3))
    counts = [int(process.communicate(timeout=30)[0]) for process in processes]
    assert sum(counts) == 50
    assert LecternQueue("media", queue).count == 50


def test_an_id_lost_from_its_list_can_be_enqueued_again(queue: redis.Redis) -> None:
    assert enqueue(queue, "media", f"{JOBS}.say", "x", job_id="job")
    queue.delete(LecternQueue("media", queue).key)
    assert enqueue(queue, "media", f"{JOBS}.say", "x", job_id="job")
    assert LecternQueue("media", queue).get_job_ids() == ["job"]


@pytest.mark.parametrize(
    ("name", "job", "arguments"),
    [
        ("slow", f"{JOBS}.say", ("x",)),
        ("media", "say", ("x",)),
        ("media", "os.system('x')", ("x",)),
        ("media", f"{JOBS}.say", ({1: 2},)),
        ("media", f"{JOBS}.say", (("tuple",),)),
    ],
)
def test_what_cannot_be_kept_is_refused(queue: redis.Redis, name: str, job: str, arguments: Any) -> None:
    with pytest.raises(ValueError, match=r"no queue|dotted|JSON"):
        enqueue(queue, name, job, *arguments, job_id="job")


def test_a_killed_workers_horse_dies_and_its_job_is_taken_again(queue: redis.Redis, start_worker: Start) -> None:
    first = start_worker("first")
    enqueue(queue, "media", f"{JOBS}.linger", "x", job_id="reel-1")
    _, horse_pid, parent_pid = _next(queue, "started")
    assert parent_pid == first.pid
    horse = psutil.Process(horse_pid)
    second = start_worker("second")
    killed_at = time.monotonic()
    first.kill()
    horse.wait(2.0)
    _, again_pid, again_parent_pid = _next(queue, "started", TAKEN_AGAIN_SECONDS)
    assert time.monotonic() - killed_at <= TAKEN_AGAIN_SECONDS
    assert again_parent_pid == second.pid
    told = _next(queue, "told")
    assert (told["job_id"], told["final"], told["attempt"]) == ("reel-1", False, 1)
    assert "AbandonedJobError" in told["error"]
    queue.rpush("go", 1)
    assert _next(queue, "ended") == "x"
    _ended(queue, "reel-1", "finished")
    assert again_pid != horse_pid
    assert queue.llen("started") == 0


@pytest.mark.long
def test_a_job_taken_by_a_worker_that_dies_at_that_moment_is_put_back(queue: redis.Redis, start_worker: Start) -> None:
    """The narrowest place: the id has left the list and the worker has told nobody yet."""
    enqueue(queue, "background", f"{JOBS}.say", "x", job_id="job")
    target = LecternQueue("background", queue)
    assert LecternQueue.dequeue_any([target], None, queue, serializer=JSONSerializer) is not None
    assert target.count == 0
    assert not enqueue(queue, "background", f"{JOBS}.say", "x", job_id="job")
    start_worker("a")
    assert _next(queue, "said", TAKEN_AGAIN_SECONDS) == "x"


def test_a_failing_job_waits_longer_each_time_and_at_last_fails(queue: redis.Redis, start_worker: Start) -> None:
    start_worker("a")
    enqueue(queue, "media", f"{JOBS}.fail", "do it", job_id="job", retry_seconds=(1, 3))
    ran_at = [float(_next(queue, "failed")) for _ in range(3)]
    told = [_next(queue, "told") for _ in range(3)]
    assert [(failure["attempt"], failure["final"]) for failure in told] == [(1, False), (2, False), (3, True)]
    assert told[0]["arguments"] == ["do it"]
    assert told[0]["job_name"] == f"{JOBS}.fail"
    assert all("RuntimeError: cannot do it" in failure["error"] for failure in told)
    # Scheduled times are whole seconds.
    assert ran_at[1] - ran_at[0] >= 0.5
    assert ran_at[2] - ran_at[1] >= 2.5
    _ended(queue, "job", "failed")
    assert enqueue(queue, "media", f"{JOBS}.say", "after", job_id="job")
    assert _next(queue, "said") == "after"


def test_a_killed_horse_is_told_and_tried_again(queue: redis.Redis, start_worker: Start) -> None:
    start_worker("a")
    enqueue(queue, "media", f"{JOBS}.linger", "x", job_id="job", retry_seconds=(1,))
    os.kill(_next(queue, "started")[1], signal.SIGKILL)
    told = _next(queue, "told")
    assert (told["attempt"], told["final"], told["error"]) == (1, False, "the process of the job was ended by signal 9")
    _next(queue, "started")
    queue.rpush("go", 1)
    assert _next(queue, "ended") == "x"


def test_a_stopping_worker_finishes_its_job(queue: redis.Redis, start_worker: Start) -> None:
    worker = start_worker("a")
    enqueue(queue, "media", f"{JOBS}.linger", "x", job_id="job")
    _next(queue, "started")
    worker.terminate()
    queue.rpush("go", 1)
    assert _next(queue, "ended") == "x"
    assert worker.wait(10.0) == 0
    _ended(queue, "job", "finished")


def test_a_stopping_worker_gives_a_long_job_back_uncounted(queue: redis.Redis, start_worker: Start) -> None:
    worker = start_worker("a", "0")
    enqueue(queue, "media", f"{JOBS}.linger", "x", job_id="job")
    _, horse_pid, _ = _next(queue, "started")
    horse = psutil.Process(horse_pid)
    worker.terminate()
    assert worker.wait(10.0) == 0
    assert not horse.is_running()
    assert LecternQueue("media", queue).get_job_ids() == ["job"]
    assert Job.fetch("job", queue, serializer=JSONSerializer).retries_left == 4
    start_worker("b")
    _next(queue, "started", 5.0)
    queue.rpush("go", 1)
    assert _next(queue, "ended") == "x"
    assert queue.llen("told") == 0


@pytest.mark.long
def test_a_valkey_that_goes_away_costs_no_job(tmp_path: Path) -> None:
    """Stopped and started again over the same data while a job runs: the worker stays, the job ends once."""
    first = embedded_valkey.start(tmp_path)
    command = [sys.executable, "-m", JOBS, first.url, "a"]
    with connect(first.url) as queue:
        worker = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
        try:
            for number in range(20):
                enqueue(queue, "media", f"{JOBS}.say", str(number), job_id=f"job-{number}")
            _next(queue, "said")
            first.stop()
            with embedded_valkey.start(tmp_path, port=first.port):
                said = {"0"} | {_next(queue, "said") for _ in range(19)}
                assert said == {str(number) for number in range(20)}
                assert worker.poll() is None
                worker.terminate()
                worker.wait(10.0)
        finally:
            worker.kill()
            worker.wait()
            first.stop()


@pytest.mark.long
def test_twenty_killed_workers_lose_no_job(queue: redis.Redis, start_worker: Start) -> None:
    """Whoever says that it started a job is killed, twenty times over; at the end every job has ended."""
    words = {f"job-{number}" for number in range(30)}
    for word in sorted(words):
        enqueue(queue, "media", f"{JOBS}.linger", word, job_id=word, retry_seconds=(1,) * 25)
    workers = {worker.pid: worker for worker in (start_worker("a"), start_worker("b"))}
    for number in range(20):
        _, horse_pid, worker_pid = _next(queue, "started")
        horse = psutil.Process(horse_pid)
        workers.pop(worker_pid).kill()
        horse.wait(2.0)
        replacement = start_worker(f"replacement-{number}")
        workers[replacement.pid] = replacement
    queue.rpush("go", *range(100))
    ended = {_next(queue, "ended")}
    while ended < words:
        ended.add(_next(queue, "ended"))
    assert ended == words
