"""What can go wrong with the object store, in three words, whatever the client underneath calls it.

ObjectStoreFault
├── ObjectMissing             the store answered: there is no such object
├── ObjectCorrupt             the store answered with other bytes than were stored
└── ObjectStoreUnavailable    no usable answer: away, overloaded, refusing us; the same call may succeed later
    └── PrefixNotEmpty        what should be deleted is still there
"""

from collections.abc import Iterator
from contextlib import contextmanager
from xml.etree.ElementTree import ParseError

import urllib3
from minio.error import MinioException, S3Error


class ObjectStoreFault(Exception):  # noqa: N818 - named for what happened
    """Any of the below; `key` is the object or prefix it was about."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(f"{key}: {message}")
        self.key = key


class ObjectMissing(ObjectStoreFault):
    """There is no such object."""


class ObjectCorrupt(ObjectStoreFault):
    """The object is there but is not what was stored."""


class ObjectStoreUnavailable(ObjectStoreFault):
    """The store gave no usable answer within the retries; nothing is known about the object."""


class PrefixNotEmpty(ObjectStoreUnavailable):
    """A prefix could not be emptied: something in it is locked, or somebody goes on writing there."""


@contextmanager
def translated(key: str) -> Iterator[None]:
    """Raise what the client raises as one of ours. Errors of local files pass through."""
    try:
        yield
    except S3Error as fault:
        if fault.code == "NoSuchKey":
            raise ObjectMissing(key, "no such object") from fault
        if fault.code == "InvalidRange":
            raise ObjectCorrupt(key, "shorter than the range asked for") from fault
        raise ObjectStoreUnavailable(key, f"{fault.code}: {fault.message}") from fault
    except (MinioException, urllib3.exceptions.HTTPError, ParseError, ConnectionError, TimeoutError) as fault:
        raise ObjectStoreUnavailable(key, str(fault)) from fault
