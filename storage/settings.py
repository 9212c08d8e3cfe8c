"""Where the stores are and how many connections a process may hold; reads nothing by itself."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """Addresses are URLs (`postgresql://…`, `redis://…`, `host:port` for S3); secrets stay out of `repr`."""

    database_url: str = field(default="", repr=False)
    """The catalogue, as the application's role (no UPDATE or DELETE on audit and certificates)."""
    database_owner_url: str = field(default="", repr=False)
    """The catalogue, as its owner; only migrations sign in with it."""
    valkey_url: str = field(default="", repr=False)
    s3_endpoint: str = ""
    s3_access_key: str = field(default="", repr=False)
    s3_secret_key: str = field(default="", repr=False)
    s3_bucket: str = "lectern"
    s3_region: str = "us-east-1"
    s3_secure: bool = False
    """TLS to the object store; off for the embedded one on loopback."""

    database_pool_size: int = 10
    """Connections one process may hold to the catalogue; a further caller waits."""
    database_pool_wait_seconds: float = 5.0
    """How long a caller waits for a free connection before the catalogue counts as unavailable."""
    database_statement_timeout_seconds: float = 30.0
    """The server ends a statement that takes longer than this."""
    valkey_pool_size: int = 20
    s3_pool_size: int = 10
