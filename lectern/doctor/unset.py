"""What it means when a store has no address: fine before `lectern up` and `lectern demo`, a mistake elsewhere."""

from lectern.doctor.finding import Finding, bad, doubtful
from lectern.settings import Settings


def unset(variable: str, settings: Settings) -> Finding:
    """Doubtful where no store has an address, for then the embedded servers are meant; bad where only this one has."""
    storage = settings.storage
    if storage.database_url or storage.valkey_url or storage.s3_endpoint:
        return bad(f"{variable} is not set", "set it: every process needs the same three stores")
    return doubtful("no address: `lectern up` and `lectern demo` start a server of their own", f"else set {variable}")
