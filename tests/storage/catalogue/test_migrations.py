"""The migrated database is what the tables say, down to names and checks, and the roles may do what they should."""

import asyncio
import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, Connection, Engine, Enum, create_engine, text
from sqlalchemy.pool import NullPool

from domain.retention import DEFAULT_CLASSES
from storage.catalogue.address import for_engine
from storage.catalogue.faults import CatalogueUnavailable
from storage.catalogue.tables.every import EVERY, METADATA
from storage.embedded.postgres import Running
from storage.migrations.privileges import ADD_ONLY, APP_ROLE, READ_ONLY, RoleMissing
from storage.migrations.run import current, migrate, newest
from tests.conftest import CatalogueUrls, drop_database, make_database


@pytest.fixture
def empty(postgres: Running) -> Iterator[CatalogueUrls]:
    """A database that was never migrated."""
    name = f"empty_{uuid4().hex}"
    yield make_database(postgres, name)
    drop_database(postgres, name)


@pytest.fixture
def owner(catalogue_urls: CatalogueUrls) -> Iterator[Engine]:
    engine = create_engine(for_engine(catalogue_urls.owner), poolclass=NullPool)
    yield engine
    engine.dispose()


def test_an_empty_database_has_no_revision_and_reaches_the_newest(empty: CatalogueUrls) -> None:
    assert asyncio.run(current(empty.owner)) is None
    assert asyncio.run(migrate(empty.owner)) == newest()
    assert asyncio.run(current(empty.owner)) == newest()
    assert asyncio.run(current(empty.app)) == newest(), "the application may read the revision"


def test_migrating_again_and_by_two_at_once_changes_nothing(empty: CatalogueUrls) -> None:
    async def both() -> tuple[str, str]:
        first, second = await asyncio.gather(migrate(empty.owner), migrate(empty.owner))
        return first, second

    assert asyncio.run(both()) == (newest(), newest())
    assert asyncio.run(migrate(empty.owner)) == newest()


def test_an_owner_who_may_not_make_the_applications_role_is_told_how_and_nothing_is_changed(
    empty: CatalogueUrls,
) -> None:
    with pytest.raises(RoleMissing, match='CREATE ROLE "nobody_yet" LOGIN'):
        asyncio.run(migrate(empty.owner, app_role="nobody_yet"))
    assert asyncio.run(current(empty.owner)) is None


def test_a_database_that_is_not_there_is_catalogue_unavailable(empty: CatalogueUrls) -> None:
    with pytest.raises(CatalogueUnavailable):
        asyncio.run(migrate(for_engine(empty.owner).set(port=1).render_as_string(hide_password=False)))


def test_the_migrated_database_is_what_the_tables_say(owner: Engine) -> None:
    with owner.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def checks_of(connection: Connection) -> dict[str, str]:
    rows = connection.execute(
        text("SELECT conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint WHERE contype IN ('c', 'x')")
    )
    return {row.conname: row.definition for row in rows}


def test_every_check_of_the_tables_stands_in_the_database_under_its_name(owner: Engine) -> None:
    with owner.connect() as connection:
        found = checks_of(connection)
    named = {
        str(constraint.name)
        for table in METADATA.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }
    assert named <= found.keys()


def test_every_enum_column_is_checked_against_the_words_of_the_domain(owner: Engine) -> None:
    """The database's list of words is frozen in a revision: a word added to the domain alone must fail here."""
    with owner.connect() as connection:
        found = checks_of(connection)
    columns = [
        column for table in METADATA.tables.values() for column in table.columns if isinstance(column.type, Enum)
    ]
    assert len(columns) > 15
    for column in columns:
        assert isinstance(column.type, Enum)
        words = re.findall(r"'([^']+)'", found[f"ck_{column.table.name}_{column.name}"])
        assert sorted(words) == sorted(column.type.enums), column


def test_the_constraint_against_double_booking_is_partial_and_deferrable(owner: Engine) -> None:
    with owner.connect() as connection:
        definition = checks_of(connection)["ex_booking_no_double"]
    assert "EXCLUDE USING gist (kind WITH =, resource WITH =, during WITH &&)" in definition
    assert "active AND" in definition
    assert definition.endswith("DEFERRABLE")


def test_the_application_holds_exactly_its_privileges(owner: Engine) -> None:
    question = text("""
        SELECT tablename, array_agg(privilege ORDER BY privilege)
        FROM pg_tables, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER', 'REFERENCES'])
            AS privilege
        WHERE schemaname = 'public' AND has_table_privilege(:role, quote_ident(tablename), privilege)
        GROUP BY tablename
    """)
    with owner.connect() as connection:
        held = {table: set(privileges) for table, privileges in connection.execute(question, {"role": APP_ROLE})}
    assert held.keys() == {table.__tablename__ for table in EVERY} | READ_ONLY
    for table, privileges in held.items():
        if table in READ_ONLY:
            assert privileges == {"SELECT"}
        elif table in ADD_ONLY:
            assert privileges == {"SELECT", "INSERT"}, table
        else:
            assert privileges == {"SELECT", "INSERT", "UPDATE", "DELETE"}, table


def test_an_installation_begins_with_the_domains_retention_classes(owner: Engine) -> None:
    with owner.connect() as connection:
        rows = connection.execute(text("SELECT slug, name_zh, name_en, months FROM retention_class")).all()
    assert {tuple(row) for row in rows} == {(c.slug, c.name_zh, c.name_en, c.months) for c in DEFAULT_CLASSES}
