"""Jobs for the tests of the queue, run by real workers: they say what they do in Valkey lists and wait on others there.

`python -m tests.storage.queue_jobs URL NAME [DRAIN_SECONDS]` is the worker.
"""

import json
import os
import sys
import time
from dataclasses import asdict

import redis

from storage.queue import connect
from storage.worker import JobFailure, make_worker

URL_VARIABLE = "LECTERN_TEST_VALKEY"
WAIT_SECONDS = 60


def _valkey() -> "redis.Redis":
    return redis.Redis.from_url(os.environ[URL_VARIABLE])


def say(word: str) -> None:
    """End at once."""
    with _valkey() as valkey:
        valkey.rpush("said", word)


def linger(word: str) -> None:
    """Tell who runs me, wait until told to go on, tell that I ended."""
    with _valkey() as valkey:
        valkey.rpush("started", json.dumps([word, os.getpid(), os.getppid()]))
        if valkey.blpop(["go"], WAIT_SECONDS) is None:
            raise TimeoutError(word)
        valkey.rpush("ended", word)


def fail(word: str) -> None:
    """Tell when I ran and raise."""
    with _valkey() as valkey:
        valkey.rpush("failed", time.time())
    raise RuntimeError(f"cannot {word}")


def tell_failure(failure: JobFailure) -> None:
    with _valkey() as valkey:
        valkey.rpush("told", json.dumps(asdict(failure)))


def main() -> None:
    url, name = sys.argv[1:3]
    os.environ[URL_VARIABLE] = url
    drain_seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 60.0
    worker = make_worker(connect(url), name=name, on_failure=tell_failure, drain_seconds=drain_seconds)
    worker.work(logging_level="WARNING")


if __name__ == "__main__":
    main()
