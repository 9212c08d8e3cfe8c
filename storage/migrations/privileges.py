"""What the application's role may do, table by table: it reads and writes all, but only adds to what is evidence.

Given anew after every migration, so that a new table needs no line of its own, and a table that becomes evidence loses
what it had.
"""

import psycopg
from sqlalchemy import Connection, quoted_name, text
from sqlalchemy.exc import ProgrammingError

APP_ROLE = "lectern_app"

ADD_ONLY = frozenset({"audit_entry", "audit_seal", "audit_anchor", "certificate", "evidence_reel"})
READ_ONLY = frozenset({"alembic_version"})
WRITE = "SELECT, INSERT, UPDATE, DELETE"


def privileges_on(table: str) -> str:
    """The privileges of the application's role on `table`."""
    if table in READ_ONLY:
        return "SELECT"
    return "SELECT, INSERT" if table in ADD_ONLY else WRITE


class RoleMissing(Exception):  # noqa: N818 - named for what is the case
    """The application's role is not there, and whoever migrates may not make it."""


def give_privileges(connection: Connection, role: str) -> None:
    """Makes `role` where it is missing and gives it exactly what `privileges_on` says on each table."""
    quote = connection.dialect.identifier_preparer.quote
    name = quote(quoted_name(role, quote=True))
    if connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}) is None:
        _make_role(connection, role, name)
    connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA public TO {name}")
    connection.exec_driver_sql(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {name}")
    for table in connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all():
        connection.exec_driver_sql(f"REVOKE ALL ON {quote(table)} FROM {name}, PUBLIC")
        connection.exec_driver_sql(f"GRANT {privileges_on(table)} ON {quote(table)} TO {name}")


def _make_role(connection: Connection, role: str, name: str) -> None:
    try:
        connection.exec_driver_sql(f"CREATE ROLE {name} LOGIN")
    except ProgrammingError as error:
        if not isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
            raise
        raise RoleMissing(f"the role {role} is missing: as a superuser, CREATE ROLE {name} LOGIN PASSWORD …") from error
