"""One PUT of one object, its body in chunks.

minio's own `put_object` would join the body in memory, hash it once more, and cut it into parts above 16 MB. Here the
library still says where the object is and how a request is signed. A hash that is known goes along as
`x-amz-content-sha256`: a store that checks it (AWS, MinIO) refuses other bytes at once; SeaweedFS takes them, and the
read-back finds out. Without one the payload is not signed, and the read-back compares all of it.

There is no multipart upload: S3 takes 5 GiB in one PUT, reels are closed long before (`ingest/reels.py`), stores write
the body through as it comes, and a broken upload began anew with parts too.
"""

from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.credentials.credentials import Credentials
from minio.error import S3Error, ServerError
from minio.signer import sign_v4_s3
from minio.time import to_amz_date, utcnow

from storage.objects.body import Body
from storage.objects.client import READ_SECONDS
from storage.settings import StorageSettings

WRITE_SECONDS = 10.0
"""The longest that the store may take for a chunk. urllib3 calls it the limit for connecting, which has its own."""
TIMEOUT = urllib3.Timeout(connect=WRITE_SECONDS, read=READ_SECONDS)
SHA256_METADATA = "x-amz-meta-sha256"
UNSIGNED = "UNSIGNED-PAYLOAD"


class Putter:
    """Puts objects into one bucket; may be called from any thread."""

    def __init__(self, settings: StorageSettings, client: Minio, pool: urllib3.PoolManager) -> None:
        self._client = client
        self._pool = pool
        self._bucket = settings.s3_bucket
        self._region = settings.s3_region
        self._credentials = Credentials(settings.s3_access_key, settings.s3_secret_key)

    def put(self, key: str, body: Body, sha256: bytes | None, content_type: str) -> str:
        """Sends the body, from its beginning at each try; the ETag. Raises what minio and urllib3 raise."""
        content_sha256 = UNSIGNED if sha256 is None else sha256.hex()
        url = urlsplit(self._client.get_presigned_url("PUT", self._bucket, key))._replace(query="")
        now = utcnow()
        headers: dict[str, str | list[str] | tuple[str]] = {
            "Host": url.netloc,
            "Content-Length": str(body.size),
            "Content-Type": content_type,
            "x-amz-content-sha256": content_sha256,
            "x-amz-date": to_amz_date(now),
        }
        if sha256 is not None:
            headers[SHA256_METADATA] = sha256.hex()
        signed = sign_v4_s3(
            method="PUT",
            url=url,
            region=self._region,
            headers=headers,
            credentials=self._credentials,
            content_sha256=content_sha256,
            date=now,
        )
        answer = self._pool.urlopen("PUT", url.geturl(), body=body, headers=signed, timeout=TIMEOUT)
        if answer.status == 200:
            return str(answer.headers.get("ETag", "")).strip('"')
        if "xml" in answer.headers.get("Content-Type", ""):
            raise S3Error.fromxml(answer)
        message = f"PUT was answered with {answer.status}"
        raise ServerError(message, answer.status)
