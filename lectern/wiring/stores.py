"""What every process asks first: where the stores are."""

from lectern.complaint import Complaint
from storage.settings import StorageSettings


def require_stores(storage: StorageSettings) -> None:
    """Complaint naming the first store that has no address."""
    for field in ("database_url", "valkey_url", "s3_endpoint", "s3_access_key", "s3_secret_key"):
        if not getattr(storage, field):
            raise Complaint(f"LECTERN_STORAGE_{field.upper()} is not set (`lectern up` starts servers of its own)")
