"""The catalogue answers, is at this version's revision, and its application role cannot rewrite evidence."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from lectern.doctor.finding import Finding, bad, doubtful, good
from lectern.doctor.unset import unset
from lectern.settings import Settings
from storage.catalogue.address import for_libpq
from storage.migrations.privileges import ADD_ONLY
from storage.migrations.run import newest

VARIABLE = "LECTERN_STORAGE_DATABASE_URL"
CONNECT_SECONDS = 3
OLDEST_MAJOR = 16
MIGRATE = "`lectern migrate` brings it there"


class NotReached(Exception):  # noqa: N818 - named for what happened
    """There is no connection; the text says why."""


@contextmanager
def connection_to(settings: Settings) -> Iterator[psycopg.Connection]:
    """A connection as the application's role, read only. NotReached."""
    try:
        connection = psycopg.connect(
            for_libpq(settings.storage.database_url),
            autocommit=True,
            connect_timeout=CONNECT_SECONDS,
            options="-c statement_timeout=3000 -c default_transaction_read_only=on",
        )
    except psycopg.OperationalError as error:
        raise NotReached(_reason(error)) from error
    with connection:
        yield connection


def _reason(error: psycopg.OperationalError) -> str:
    """The line of libpq's several that says why; others ask whether the server runs, or count the attempts."""
    lines = str(error).strip().splitlines() or ["no answer"]
    return next((line for line in lines if "failed: " in line), lines[0]).strip().removeprefix("connection failed: ")


def reachable(settings: Settings) -> Finding:
    """It answers, and is new enough."""
    if not settings.storage.database_url:
        return unset(VARIABLE, settings)
    try:
        with connection_to(settings) as connection:
            version, place = connection.info.server_version // 10000, f"{connection.info.host}:{connection.info.port}"
    except NotReached as reason:
        return bad(f"no connection: {reason}", f"start PostgreSQL, or mend {VARIABLE}")
    if version < OLDEST_MAJOR:
        return bad(f"PostgreSQL {version}", f"Lectern needs {OLDEST_MAJOR} or newer")
    return good(f"PostgreSQL {version} at {place}")


def revision(settings: Settings) -> Finding:
    """Its tables are those that this version's code knows."""
    if not settings.storage.database_url:
        return not_asked()
    wanted = newest()
    try:
        with connection_to(settings) as connection:
            there = connection.execute("SELECT to_regclass('public.alembic_version')").fetchone()
            if there is None or there[0] is None:
                return bad("the database is empty", MIGRATE)
            rows = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    except NotReached:
        return not_asked()
    at = rows[0][0] if rows else None
    if at != wanted:
        return bad(f"at revision {at}, this version's is {wanted}", MIGRATE)
    return good(f"at revision {at}")


def evidence(settings: Settings) -> Finding:
    """What the application signs in as may add to the audit trail and to certificates, and nothing else (R19)."""
    if not settings.storage.database_url:
        return not_asked()
    try:
        with connection_to(settings) as connection:
            role = connection.info.user
            may = connection.execute(
                "SELECT tablename, privilege FROM pg_tables, unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) privilege"
                " WHERE schemaname = 'public' AND tablename = ANY(%s)"
                " AND has_table_privilege(format('public.%%I', tablename), privilege) ORDER BY 1, 2",
                [sorted(ADD_ONLY)],
            ).fetchall()
            found = connection.execute(
                "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename = ANY(%s)", [sorted(ADD_ONLY)]
            ).fetchone()
    except NotReached:
        return not_asked()
    if may:
        table, privilege = may[0]
        return bad(
            f"the role {role} may {privilege} {table}",
            f"{VARIABLE} must sign in as lectern_app; `lectern migrate` takes back what it should not have",
        )
    if found is None or found[0] != len(ADD_ONLY):
        return bad("the tables of evidence are not there", MIGRATE)
    return good(f"{role} may only add to {', '.join(sorted(ADD_ONLY))}")


def not_asked() -> Finding:
    """The catalogue's own line says why."""
    return doubtful("not asked: there is no catalogue to ask", "")
