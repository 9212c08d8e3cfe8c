"""One address of the catalogue, spelt for each of its two readers: SQLAlchemy and libpq."""

from sqlalchemy import URL, make_url


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
