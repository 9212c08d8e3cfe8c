"""The S3 client with its waits and retries said out loud; minio's own defaults wait five minutes for each of six tries.

Every call that is retried is one S3 lets us repeat: whole puts, reads, listings, deletions. A caller that must not
wait longer stops asking; the uploader and the jobs come back by themselves.
"""

import urllib3
from minio import Minio

from storage.objects.lines import CONNECT_SECONDS, Lines
from storage.settings import StorageSettings

READ_SECONDS = 20.0
"""The longest silence of the store within one answer; it may sync to disk before it acknowledges a put."""
TRIES = 3
BACKOFF_SECONDS = 0.2
"""Waits of 0, 0.4 and 0.8 s between the tries (urllib3: none before the first repetition)."""
OVERLOADED = (429, 500, 502, 503, 504)


def make_pool(settings: StorageSettings, lines: Lines) -> urllib3.PoolManager:
    """Keeps `s3_pool_size` connections and opens more when all are busy; any thread may use it."""
    retries = urllib3.Retry(
        total=TRIES,
        connect=TRIES,
        read=TRIES - 1,
        status=TRIES,
        redirect=0,
        other=0,
        backoff_factor=BACKOFF_SECONDS,
        status_forcelist=OVERLOADED,
        allowed_methods=None,
        raise_on_status=False,  # the last answer says what is wrong
        respect_retry_after_header=False,  # it may ask for an hour, for which a thread would sleep
    )
    pool = urllib3.PoolManager(
        num_pools=2,
        maxsize=settings.s3_pool_size,
        timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
        retries=retries,
        cert_reqs="CERT_REQUIRED",
    )
    pool.pool_classes_by_scheme = lines.pools()
    return pool


def make_client(settings: StorageSettings, pool: urllib3.PoolManager) -> Minio:
    """A thread-safe client."""
    return Minio(
        settings.s3_endpoint,
        settings.s3_access_key,
        settings.s3_secret_key,
        secure=settings.s3_secure,
        region=settings.s3_region,
        http_client=pool,
    )
