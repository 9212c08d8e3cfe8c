"""This machine's clock agrees with PostgreSQL's: sessions open, keys end and retention runs by both."""

import time
from collections.abc import Callable

from lectern.doctor.catalogue import NotReached, connection_to, not_asked
from lectern.doctor.finding import Finding, doubtful, good
from lectern.settings import Settings

APART_SECONDS = 1.0


def agrees(settings: Settings, wall: Callable[[], float] = time.time) -> Finding:
    """Compares with the middle of the time that asking took. `wall` gives seconds since 1970."""
    if not settings.storage.database_url:
        return not_asked()
    try:
        with connection_to(settings) as connection:
            before = wall()
            row = connection.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
            after = wall()
    except NotReached:
        return not_asked()
    assert row is not None
    apart = (before + after) / 2 - float(row[0])
    # What asking took cannot be told from a difference.
    if abs(apart) - (after - before) / 2 > APART_SECONDS:
        way = "ahead of" if apart > 0 else "behind"
        return doubtful(f"{abs(apart):.1f} s {way} PostgreSQL's clock", "let both machines keep time by NTP (chrony)")
    return good(f"{abs(apart) * 1000:.0f} ms from PostgreSQL's")
