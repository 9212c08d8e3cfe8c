"""`lectern capacity`, run as a person runs it: what it prints, refuses, and leaves in the catalogue and the trail."""

import asyncio
from datetime import UTC, datetime

import click
import pytest
from click.testing import CliRunner

from lectern.commands.capacity import command as capacity
from lectern.complaint import Complaint
from storage.catalogue import audit, institute
from storage.catalogue.audit import Wanted
from storage.catalogue.transaction import Catalogue, Transaction
from tests.conftest import CatalogueUrls
from tests.storage.catalogue import builders


@click.group()
@click.pass_context
def lectern(context: click.Context) -> None:
    context.obj = {"config": None, "debug": False}


lectern.add_command(capacity)


@pytest.fixture
def environ(catalogue_urls: CatalogueUrls) -> dict[str, str]:
    """A catalogue with one department, which has an encoder on the air."""

    async def fill() -> None:
        catalogue, now = Catalogue(catalogue_urls.app), datetime.now(UTC)
        async with catalogue.transaction() as tx:
            place = await builders.place(tx, "music")
            await builders.take(tx, await builders.session(tx, place, now), now)
        await catalogue.close()

    asyncio.run(fill())
    names = ("DATABASE_OWNER_URL", "S3_ENDPOINT", "S3_ACCESS_KEY", "S3_SECRET_KEY")
    stores = {f"LECTERN_STORAGE_{name}": "unused" for name in names}
    stores["LECTERN_STORAGE_VALKEY_URL"] = "redis://127.0.0.1:1"  # away: nothing that is done here needs it
    return {"LECTERN_STORAGE_DATABASE_URL": catalogue_urls.app, **stores}


def run(environ: dict[str, str], *arguments: str) -> str:
    result = CliRunner().invoke(lectern, ["capacity", *arguments], env=environ, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def limit_and_trail(url: str) -> tuple[int | None, list[dict[str, object]]]:
    """The department's limit and what the trail says of its changes, the newest first."""

    async def ask() -> tuple[int | None, list[dict[str, object]]]:
        catalogue = Catalogue(url)

        async def work(tx: Transaction) -> tuple[int | None, list[dict[str, object]]]:
            (department,) = await institute.departments(tx)
            entries = await audit.entries(tx, Wanted(action="capacity_changed"), limit=9)
            assert all("command line" in (one.actor_name or "") for one in entries)
            return department.max_publishers, [one.details for one in entries]

        try:
            return await catalogue.run(work)
        finally:
            await catalogue.close()

    return asyncio.run(ask())


def test_a_limit_is_shown_set_and_given_up(environ: dict[str, str], catalogue_urls: CatalogueUrls) -> None:
    (row,) = [line.split() for line in run(environ, "list").splitlines()[1:]]
    slug = row[0]
    assert row[-2:] == ["1", "general"]
    assert run(environ, "set", slug, "4") == f"{slug} has a limit of 4\n"
    assert run(environ, "list").split()[-2:] == ["1", "4"]
    assert run(environ, "set", slug, "--general") == f"{slug} has the general limit\n"
    changes = [{"before": 4, "after": None}, {"before": None, "after": 4}]
    assert limit_and_trail(catalogue_urls.app) == (None, changes)


def test_what_is_not_clear_is_not_done(environ: dict[str, str], catalogue_urls: CatalogueUrls) -> None:
    slug = run(environ, "list").splitlines()[1].split()[0]
    for arguments in ((slug,), (slug, "3", "--general"), ("nowhere", "3")):
        with pytest.raises(Complaint):
            run(environ, "set", *arguments)
    result = CliRunner().invoke(lectern, ["capacity", "set", slug, "-1"], env=environ)
    assert result.exit_code != 0
    assert limit_and_trail(catalogue_urls.app) == (None, [])
