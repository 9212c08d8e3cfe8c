"""The job queue (RQ over Valkey): enqueue a job by its stable dotted name, once.

A job is named, never pickled: its name and JSON arguments are all that is stored, so that a worker of the next version
understands it and nobody who reaches Valkey can make a worker run other code. Jobs are idempotent and run at least
once; `storage/worker.py` says when one is taken again.
"""

import json
import re
import time
from collections.abc import Iterable, Sequence
from typing import Any, cast

import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry as ConnectionRetry
from rq import Queue, Retry
from rq.exceptions import DequeueTimeout
from rq.job import Job, JobStatus
from rq.results import Result
from rq.serializers import JSONSerializer
from rq.utils import as_text

QUEUES = ("urgent", "media", "background")
"""In the order a worker serves them."""
RETRY_SECONDS = (5, 30, 120, 600)
"""Waits before the second, third … run of a job that failed; then it has failed for good."""
JOB_SECONDS = 3600
RESULT_SECONDS = 3600
FAILURE_SECONDS = 30 * 24 * 3600
MAINTENANCE_LOCK_SECONDS = 5
"""RQ's own 15 minutes would stop all maintenance when the worker that holds the lock is killed."""
POLL_SECONDS = 0.1
ENQUEUE_ATTEMPTS = 20

Plain = str | int | float | bool | None
"""What a job's argument may be."""

_NAME = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)+")

# Moves the first waiting id, in the order of the queues, to that queue's intermediate list: an id is always in one of
# the two, wherever the worker dies. RQ does this for a single queue only, and pops from several.
_TAKE = """
for i = 1, #KEYS, 2 do
  local id = redis.call('LMOVE', KEYS[i], KEYS[i + 1], 'LEFT', 'RIGHT')
  if id then return {KEYS[i], id} end
end
return false
"""


def connect(valkey_url: str, *, patience_seconds: float = 30.0) -> redis.Redis:
    """A connection whose commands are repeated for about `patience_seconds` while Valkey is away.

    A repeated command may have been done twice; nothing here minds. Raises redis.ConnectionError after that.
    """
    longest = 1.0
    backoff = ExponentialBackoff(cap=longest, base=0.05)
    return redis.Redis.from_url(
        valkey_url,
        socket_connect_timeout=2.0,
        socket_timeout=15.0,
        health_check_interval=30,
        retry=ConnectionRetry(backoff, max(1, int(patience_seconds / longest))),
        retry_on_error=[redis.ConnectionError, redis.TimeoutError, redis.BusyLoadingError],
    )


class LecternJob(Job):
    """A job that is taken again at once when its worker was lost, and after growing waits when it failed."""

    abandoned = False

    def get_retry_interval(self) -> int:
        return 0 if self.abandoned else super().get_retry_interval()


class LecternQueue(Queue):
    """A queue that loses no job between the list and the worker."""

    job_class = LecternJob

    def __init__(self, name: str = "default", connection: redis.Redis | None = None, **settings: Any) -> None:
        super().__init__(name, connection, **(settings | {"serializer": JSONSerializer}))

    def acquire_maintenance_lock(self) -> bool:
        return bool(self.connection.set(self.registry_cleaning_key, 1, nx=True, ex=MAINTENANCE_LOCK_SECONDS))

    @classmethod
    def dequeue_any(  # type: ignore[override]
        cls, queues: Iterable[Queue], timeout: int | None, connection: redis.Redis, **settings: Any
    ) -> tuple[Job, Queue] | None:
        """The first job in the order of the queues; None at once without `timeout`, DequeueTimeout after it."""
        keys = [key for queue in queues for key in (queue.key, queue.intermediate_queue_key)]
        until = time.monotonic() + (timeout or 0)
        while True:
            taken = cast(list[bytes] | None, connection.eval(_TAKE, len(keys), *keys))
            if taken:
                found = cls._fetch_dequeued_job(connection, taken[0].decode(), taken[1].decode(), **settings)
                if found is not None:
                    return found
            elif timeout is None:
                return None
            elif time.monotonic() > until:
                raise DequeueTimeout(timeout, keys)
            else:
                time.sleep(POLL_SECONDS)

    def put_back_stuck(self, after_seconds: float) -> int:
        """Put ids back that were taken but whose worker died before it could say so; how many."""
        intermediate = self.intermediate_queue
        count = 0
        for job_id in intermediate.get_job_ids():
            if job_id in self.started_job_registry:
                continue
            first_seen = intermediate.get_first_seen(job_id)
            if first_seen is None:
                intermediate.set_first_seen(job_id)
            elif time.time() - first_seen.timestamp() >= after_seconds:
                with self.connection.pipeline() as pipeline:
                    pipeline.lrem(intermediate.key, 1, job_id)
                    pipeline.lpush(self.key, job_id)
                    pipeline.delete(intermediate.get_first_seen_key(job_id))
                    pipeline.execute()
                count += 1
        return count

    def promote_due(self) -> int:
        """Enqueue the scheduled jobs whose time has come; how many. Any process may call it at any time."""
        registry = self.scheduled_job_registry
        count = 0
        for job_id in registry.get_jobs_to_schedule():
            with self.connection.pipeline() as pipeline:
                pipeline.watch(registry.key)  # type: ignore[no-untyped-call]
                if pipeline.zscore(registry.key, job_id) is None:
                    continue
                job = self.fetch_job(job_id)
                pipeline.multi()
                registry.remove(job_id, pipeline=pipeline)
                if job is not None:
                    self._enqueue_job(job, pipeline=pipeline, at_front=True)
                try:
                    pipeline.execute()
                except redis.WatchError:  # another process was quicker; the next round takes what is left
                    continue
                count += 1
        return count


def enqueue(
    connection: redis.Redis,
    queue: str,
    job_name: str,
    *arguments: Plain,
    job_id: str,
    timeout_seconds: int = JOB_SECONDS,
    retry_seconds: Sequence[int] = RETRY_SECONDS,
    at_front: bool = False,
) -> bool:
    """Enqueue a job unless one with this id waits or runs; whether it was enqueued now.

    An id whose job has finished or failed may be used again; it is made of letters, digits, `-` and `_`. Raises
    ValueError for what cannot be stored, redis.ConnectionError when Valkey stays away.
    """
    _check(queue, job_name, arguments)
    target = LecternQueue(queue, connection)
    job = target.create_job(
        job_name,
        args=list(arguments),
        timeout=timeout_seconds,
        result_ttl=RESULT_SECONDS,
        failure_ttl=FAILURE_SECONDS,
        description=job_name,
        job_id=job_id,
        retry=Retry(len(retry_seconds), list(retry_seconds), enqueue_at_front=True) if retry_seconds else None,
    )
    for _ in range(ENQUEUE_ATTEMPTS):
        with connection.pipeline() as pipeline:
            pipeline.watch(job.key)  # type: ignore[no-untyped-call]
            known = LecternQueue.job_class.exists(job_id, connection)
            if known and _is_open(connection, job_id):
                return False
            pipeline.multi()
            if known:
                _forget(pipeline, target, job)
            target.enqueue_job(job, pipeline=pipeline, at_front=at_front)
            try:
                pipeline.execute()
            except redis.WatchError:  # its state changed under us: look again
                continue
            return True
    message = f"job {job_id} changes too quickly to be enqueued"
    raise redis.WatchError(message)


def _check(queue: str, job_name: str, arguments: Sequence[Plain]) -> None:
    if queue not in QUEUES:
        message = f"no queue {queue!r}, only {', '.join(QUEUES)}"
        raise ValueError(message)
    if not _NAME.fullmatch(job_name):
        message = f"not a dotted name: {job_name!r}"
        raise ValueError(message)
    if json.loads(json.dumps(arguments)) != list(arguments):
        message = f"arguments that JSON does not keep: {arguments!r}"
        raise ValueError(message)


def _is_open(connection: redis.Redis, job_id: str) -> bool:
    """Whether the job will still come to an end by itself.

    What says it waits is also looked for where it waits, going the way it goes (list, intermediate list, running), so
    that a job in motion is seen and one whose id was lost is not waited for.
    """
    status, origin = connection.hmget(LecternJob.key_for(job_id), "status", "origin")
    status = as_text(status) if status else None
    queue = LecternQueue(as_text(origin) if origin else QUEUES[0], connection)
    if status == JobStatus.QUEUED:
        waits = any(connection.lpos(key, job_id) is not None for key in (queue.key, queue.intermediate_queue_key))
        return waits or job_id in queue.started_job_registry
    if status == JobStatus.SCHEDULED:
        return connection.zscore(queue.scheduled_job_registry.key, job_id) is not None
    return status in {JobStatus.STARTED, JobStatus.DEFERRED, JobStatus.READY_TO_ENQUEUE}


def _forget(pipeline: "redis.client.Pipeline", queue: LecternQueue, job: Job) -> None:
    """Remove what an ended job left, so that the new one starts clean."""
    pipeline.delete(job.key, Result.get_key(job.id))  # type: ignore[no-untyped-call]
    for registry in (queue.finished_job_registry, queue.failed_job_registry, queue.canceled_job_registry):
        pipeline.zrem(registry.key, job.id)
