"""The object store takes an object, gives it back to the byte, and lets it be deleted: what a purge relies on."""

import hashlib
import secrets
from uuid import uuid4

from lectern.doctor.finding import Finding, bad, good
from lectern.doctor.unset import unset
from lectern.settings import Settings
from storage.objects import keys
from storage.objects.faults import ObjectStoreFault
from storage.objects.store import ObjectStore

PROBE_BYTES = 4096


def round_trip(settings: Settings) -> Finding:
    """Under a prefix of this check's own, which is empty again afterwards."""
    storage = settings.storage
    for field in ("s3_endpoint", "s3_access_key", "s3_secret_key"):
        if not getattr(storage, field):
            return unset(f"LECTERN_STORAGE_{field.upper()}", settings)
    store, probe, content = ObjectStore(storage), uuid4(), secrets.token_bytes(PROBE_BYTES)
    step = "write"
    try:
        store.put_bytes(keys.probe(probe), content)
        step = "read back"
        store.verify(keys.probe(probe), hashlib.sha256(content).digest(), len(content))
        step = "delete"
        store.delete_prefix(keys.probe_prefix(probe))
        if not store.prefix_is_empty(keys.probe_prefix(probe)):
            return bad("an object stays after it was deleted", "no object lock, no retention rule on this bucket")
    except ObjectStoreFault as fault:
        return bad(f"cannot {step}: {fault}", _remedy(str(fault), storage.s3_bucket))
    return good(f"{storage.s3_endpoint}/{storage.s3_bucket}: written, read back, deleted")


def _remedy(said: str, bucket: str) -> str:
    if "NoSuchBucket" in said:
        return f"`lectern migrate` makes the bucket {bucket}"
    if any(code in said for code in ("AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch")):
        return f"give this access key read, write, list and delete on {bucket}, or mend LECTERN_STORAGE_S3_…_KEY"
    return "start it, or mend LECTERN_STORAGE_S3_ENDPOINT"
