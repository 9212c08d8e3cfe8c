"""The worker: takes jobs, forks a horse for each, and makes sure that a job whose worker died is taken again soon.

Three ways a run can end badly, one hook for all: the job raised (told by its horse), the horse was killed (told by its
worker), the worker was killed (found by another worker's maintenance, within ten seconds). A job may therefore run
twice at once for a moment; its results are fenced by a lease (`storage/leases.py`).
"""

import logging
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Any

import redis
from rq import Worker
from rq.exceptions import AbandonedJobError, StopRequested
from rq.executions import Execution
from rq.job import Job, JobStatus
from rq.job_lifecycle import format_exc_info
from rq.queue import Queue
from rq.registry import clean_registries
from rq.serializers import JSONSerializer
from rq.utils import now
from rq.worker_registration import clean_worker_registry

from storage.parent_death import die_with_parent
from storage.queue import QUEUES, RESULT_SECONDS, LecternJob, LecternQueue

HEARTBEAT_SECONDS = 2
HEARTBEAT_LIFE_SECONDS = 6
"""A run is given up for lost when its worker has been silent for this long; RQ's own is over a minute."""
MAINTENANCE_SECONDS = 1
DEQUEUE_SECONDS = 1
STUCK_SECONDS = 5.0
WORKER_LIFE_SECONDS = 30
"""RQ adds 60: how long a killed worker is still listed."""
DRAIN_SECONDS = 600.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class JobFailure:
    """One run of a job that ended badly."""

    job_id: str
    job_name: str
    arguments: tuple[Any, ...]
    queue: str
    attempt: int
    """1 for the first run."""
    final: bool
    """Whether it will not be tried again."""
    error: str
    """The traceback, or what became of the process."""


FailureHook = Callable[[JobFailure], None]
"""Called in the horse or in the worker itself, perhaps twice for one run: idempotent, and leaves no connection open."""


class LecternWorker(Worker):
    """An RQ worker whose horse dies with it and whose jobs do not stay lost. Made by `make_worker`."""

    job_class = LecternJob
    queue_class: type[Queue] = LecternQueue
    on_failure: FailureHook | None = None
    drain_seconds: float = DRAIN_SECONDS
    _forker = 0

    @property
    def dequeue_timeout(self) -> int:
        """Short: maintenance runs between two waits."""
        return DEQUEUE_SECONDS

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:  # noqa: ARG002 - RQ's signature
        return HEARTBEAT_LIFE_SECONDS

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        self._forker = os.getpid()
        super().fork_work_horse(job, queue)

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        die_with_parent(signal.SIGKILL, self._forker)
        super().main_work_horse(job, queue)

    def prepare_job_execution(self, job: Job, remove_from_intermediate_queue: bool = False) -> None:  # noqa: ARG002
        # From several queues too, since LecternQueue takes by way of the intermediate list always.
        super().prepare_job_execution(job, remove_from_intermediate_queue=True)

    def maintain_heartbeats(self, job: Job, execution: Execution) -> None:
        """Called every HEARTBEAT_SECONDS while the horse works."""
        asked = self._shutdown_requested_date
        if self._stop_requested and asked and now() - asked > timedelta(seconds=self.drain_seconds):
            self._give_back(job, execution)
            raise StopRequested
        try:
            super().maintain_heartbeats(job, execution)
        except (redis.ConnectionError, redis.TimeoutError) as fault:
            # The horse works on; its job may be taken by another meanwhile, which the lease settles.
            self.log.warning("Worker %s: heartbeat of job %s failed: %s", self.name, job.id, fault)

    def _give_back(self, job: Job, execution: Execution) -> None:
        """End the horse and put its job back in front, as if it had not been taken: stopping is no failure."""
        self.log.info("Worker %s: gives job %s back, it took too long to wait for", self.name, job.id)
        self.kill_horse()
        self.wait_for_horse()
        if job.get_status() != JobStatus.STARTED:
            return
        with self.connection.pipeline() as pipeline:
            self.cleanup_execution(job, pipeline, execution)
            job.set_status(JobStatus.QUEUED, pipeline=pipeline)
            LecternQueue(job.origin, self.connection).push_job_id(job.id, pipeline=pipeline, at_front=True)
            pipeline.execute()

    def run_maintenance_tasks(self) -> None:
        """Every second, by whichever worker is idle: lost jobs back to their queues, due retries too."""
        try:
            for queue in self.queues:
                if isinstance(queue, LecternQueue) and queue.acquire_maintenance_lock():
                    clean_registries(queue, self._exc_handlers)
                    clean_worker_registry(queue)
                    queue.put_back_stuck(STUCK_SECONDS)
                    queue.promote_due()
                    queue.release_maintenance_lock()  # type: ignore[no-untyped-call]
        except (redis.ConnectionError, redis.TimeoutError) as fault:
            self.log.warning("Worker %s: maintenance failed: %s", self.name, fault)
        self.last_cleaned_at = now()  # type: ignore[assignment]

    def tell_exception(
        self, job: Job, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """RQ's exception handler: in the horse for a job that raised, in a maintaining worker for an abandoned one."""
        if isinstance(job, LecternJob):
            job.abandoned = isinstance(error, AbandonedJobError)
        self._tell(job, format_exc_info((kind, error, trace)))

    def tell_killed(self, job: Job, pid: int | None, status: int | None, usage: Any) -> None:  # noqa: ARG002 - RQ's
        """RQ's handler for a horse that ended without a word."""
        how = f"signal {os.WTERMSIG(status)}" if status and os.WIFSIGNALED(status) else f"status {status}"
        self._tell(job, f"the process of the job was ended by {how}")

    def _tell(self, job: Job, error: str) -> None:
        if self.on_failure is None:
            return
        left = job.retries_left or 0
        failure = JobFailure(
            job_id=job.id,
            job_name=job.func_name or "",
            arguments=tuple(job.args or ()),
            queue=job.origin,
            attempt=len(job.retry_intervals or ()) - left + 1,
            final=left == 0,
            error=error,
        )
        try:
            self.on_failure(failure)
        except Exception:  # the hook's fault must not end the worker, nor keep the job from its retry
            _log.exception("the failure hook failed for job %s", job.id)


def make_worker(
    connection: redis.Redis,
    queues: Sequence[str] = QUEUES,
    *,
    name: str | None = None,
    on_failure: FailureHook | None = None,
    drain_seconds: float = DRAIN_SECONDS,
) -> LecternWorker:
    """A worker over `queues` in this order; `work()` runs it until SIGTERM or SIGINT.

    On that signal it takes nothing new and waits `drain_seconds` for the job in hand, then gives it back.
    """
    worker = LecternWorker(
        [LecternQueue(queue, connection) for queue in queues],
        name=name,
        connection=connection,
        default_result_ttl=RESULT_SECONDS,
        maintenance_interval=MAINTENANCE_SECONDS,
        worker_ttl=WORKER_LIFE_SECONDS,
        job_monitoring_interval=HEARTBEAT_SECONDS,
        log_job_description=False,
        serializer=JSONSerializer,
    )
    worker.on_failure = on_failure
    worker.drain_seconds = drain_seconds
    worker.push_exc_handler(worker.tell_exception)  # type: ignore[no-untyped-call]
    worker._work_horse_killed_handler = worker.tell_killed
    return worker
