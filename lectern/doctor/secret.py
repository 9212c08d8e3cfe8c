"""The master secret, from which every signature derives."""

from lectern.doctor.finding import Finding, bad, doubtful, good
from lectern.running_house import find
from lectern.settings import Settings

# Of 32 random bytes far more differ from each other; `abab…` and zeros are typed.
TYPED_BYTES = 4


def master(settings: Settings) -> Finding:
    """Set, and not one that somebody typed."""
    secret = settings.lectern.master_secret
    if secret:
        if len(set(settings.lectern.secret_bytes())) <= TYPED_BYTES:
            return bad("the master secret is no random one", "make one: `openssl rand -hex 32`")
        return good(f"set by {settings.sources['lectern.master_secret']}")
    if find(settings.lectern.data_folder) is not None:
        return good("the running house was given one")
    if settings.storage.database_url:
        return bad("LECTERN_MASTER_SECRET is not set", "make one, the same in every process: `openssl rand -hex 32`")
    return doubtful("not set: `lectern up` and `lectern demo` keep one beside their data", "nothing, for those two")
