"""One address of the catalogue, spelt for each of its two readers: SQLAlchemy and libpq."""

from typing import TypedDict

from sqlalchemy import URL, make_url


class _LostSoon(TypedDict):
    tcp_user_timeout: int
    keepalives_idle: int
    keepalives_interval: int
    keepalives_count: int


LOST_SOON: _LostSoon = {"tcp_user_timeout": 4000, "keepalives_idle": 2, "keepalives_interval": 1, "keepalives_count": 3}
"""libpq's parameters by which a machine that has vanished is found out in seconds (ms, s, s): without them a query
that was sent to it waits for a quarter of an hour, and nobody connects again.
"""


def for_engine(url: str) -> URL:
    """`postgresql://…` (any driver named or none) as SQLAlchemy wants it for psycopg 3."""
    return make_url(url).set(drivername="postgresql+psycopg")


def for_libpq(url: str) -> str:
    """The same address as psycopg's own `connect` reads it, password included."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def name_of_database(url: str) -> str:
    """The database that `url` names; ValueError where it names none."""
    name = make_url(url).database
    if not name:
        raise ValueError("the address names no database")
    return name
