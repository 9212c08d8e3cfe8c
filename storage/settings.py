"""Where the stores are and how many connections a process may hold; reads nothing by itself.

An address that is empty is not set: `lectern up` and `lectern demo` then start a server of their own in its place, and
every other command says that it is missing.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """Addresses, secrets and connections of the three stores."""

    database_url: str = field(default="", repr=False)
    """The catalogue, `postgresql://…`, as the application's role (no UPDATE or DELETE on audit and certificates).
    `deploy/make-secrets` writes it.
    """
    database_owner_url: str = field(default="", repr=False)
    """The catalogue as its owner, written beside it; only migrations sign in with it, so only `migrate` is given it."""
    valkey_url: str = field(default="", repr=False)
    """The queue, leases and live state, `redis://…` or `rediss://…`, written by `deploy/make-secrets` too."""
    s3_endpoint: str = ""
    """The object store as `host:port`: its operator knows it, `compose.yaml` says it for its own."""
    s3_access_key: str = field(default="", repr=False)
    """The identity that may read, write, list and delete in the bucket; from the object store."""
    s3_secret_key: str = field(default="", repr=False)
    """Its secret."""
    s3_bucket: str = "lectern"
    """The bucket of all recordings; `lectern migrate` makes it."""
    s3_region: str = "us-east-1"
    """Part of every signature; most stores of one's own take any."""
    s3_secure: bool = False
    """TLS to the object store; off for the embedded one on loopback."""

    database_pool_size: int = 10
    """Connections one process may hold to the catalogue; a further caller waits."""
    database_pool_wait_seconds: float = 5.0
    """How long a caller waits for a free connection before the catalogue counts as unavailable."""
    database_statement_timeout_seconds: float = 30.0
    """The server ends a statement that takes longer than this."""
    valkey_pool_size: int = 20
    """Connections one process may hold to Valkey."""
    s3_pool_size: int = 10
    """Connections to the object store that one process keeps open; it opens more when all are busy."""
