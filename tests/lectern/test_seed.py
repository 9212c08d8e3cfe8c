"""The first institute, seeded once and again."""

from datetime import timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select

from domain.kinds import Role, ScopeKind
from domain.passwords import require_strong
from lectern.seed import ACCOUNTS, MODULES, TIMETABLE, passwords_in, seed
from storage.catalogue import accounts, institute, ladder, timetables
from storage.catalogue.tables.account import Account
from storage.catalogue.tables.audit_entry import AuditEntry
from storage.catalogue.tables.every import METADATA
from storage.catalogue.transaction import Catalogue
from tests.storage.catalogue.builders import NOON

pytestmark = pytest.mark.anyio


@pytest.fixture
def passwords(tmp_path: Path) -> dict[str, str]:
    return passwords_in(tmp_path)


async def seeded(catalogue: Catalogue, passwords: dict[str, str]) -> None:
    async with catalogue.transaction() as tx:
        await seed(tx, passwords, NOON)


async def counts(catalogue: Catalogue) -> dict[str, int]:
    """Rows by table."""
    async with catalogue.transaction() as tx:
        return {
            table.name: await tx.session.scalar(select(func.count()).select_from(table)) or 0
            for table in METADATA.sorted_tables
        }


async def account_of(catalogue: Catalogue, login: str) -> Account:
    async with catalogue.transaction() as tx:
        account = await accounts.by_login(tx, login)
    assert account is not None
    return account


async def test_every_role_has_an_account_that_holds_it_and_nothing_else(
    catalogue: Catalogue, passwords: dict[str, str]
) -> None:
    await seeded(catalogue, passwords)
    held: dict[Role, ScopeKind] = {}
    for one in ACCOUNTS:
        account = await account_of(catalogue, one.login)
        async with catalogue.transaction() as tx:
            (grant,) = await accounts.grants_of(tx, account.id)
        held[grant.role] = grant.scope_kind
        assert (grant.scope_id is None) == (grant.scope_kind == ScopeKind.institute)
        assert account.password_hash
        assert PasswordHasher().verify(account.password_hash, passwords[one.login])
    assert set(held) == set(Role)


async def test_the_home_page_has_its_eight_modules_each_with_its_owner(
    catalogue: Catalogue, passwords: dict[str, str]
) -> None:
    """Article 10: six are academic affairs', one each the teacher development centre's and the personnel office's."""
    await seeded(catalogue, passwords)
    async with catalogue.transaction() as tx:
        overview = await institute.overview(tx)
        timetable = await timetables.by_slug(tx, TIMETABLE)
        plan = await ladder.active_plan(tx)
    names = {department.id: department.name_zh for department in overview.departments}
    owners = [(module.name_zh, names[module.department_id]) for module in overview.modules]
    assert len(owners) == len(MODULES) == 8
    assert [owner for _, owner in owners].count("教务处") == 6
    assert ("公共必修课", "教师发展中心") in owners
    assert ("学院内训", "人事处") in owners
    assert timetable is not None
    assert timetable.cohort_id is not None
    assert plan is not None
    assert plan.renditions


async def test_seeding_again_changes_nothing(catalogue: Catalogue, passwords: dict[str, str]) -> None:
    await seeded(catalogue, passwords)
    before = await counts(catalogue)
    teacher = await account_of(catalogue, "teacher")
    async with catalogue.transaction() as tx:
        await accounts.set_password(tx, teacher.id, "changed")
        await accounts.set_disabled(tx, teacher.id, NOON + timedelta(days=1))
    await seeded(catalogue, dict.fromkeys(passwords, "Another-password-9"))
    assert await counts(catalogue) == before
    again = await account_of(catalogue, "teacher")
    assert (again.password_hash, again.disabled_at) == ("changed", NOON + timedelta(days=1))


async def test_the_story_is_played_by_persons_of_the_screen_in_older_data_too(
    catalogue: Catalogue, passwords: dict[str, str]
) -> None:
    await seeded(catalogue, passwords)
    async with catalogue.transaction() as tx:
        for login, name in (("story-office", "演示教务"), ("teacher", "我自己")):
            account = await accounts.by_login(tx, login)
            assert account is not None
            account.display_name = name
    await seeded(catalogue, passwords)
    shown = {(one.display_name, one.role) for one in ACCOUNTS if one.shown}
    for one in ACCOUNTS:
        if not one.shown:
            assert (one.display_name, one.role) in shown
            assert (await account_of(catalogue, one.login)).display_name == one.display_name
    assert (await account_of(catalogue, "teacher")).display_name == "我自己", "somebody's own choice"


async def test_who_was_added_is_audited_without_a_password(catalogue: Catalogue, passwords: dict[str, str]) -> None:
    await seeded(catalogue, passwords)
    async with catalogue.transaction() as tx:
        entries = (await tx.session.scalars(select(AuditEntry).where(AuditEntry.action == "account_added"))).all()
    assert {entry.details["login"] for entry in entries} == {one.login for one in ACCOUNTS}
    assert not [entry for entry in entries if any(word in str(entry.details) for word in passwords.values())]


def test_passwords_are_made_once_by_chance_and_kept_to_their_owner(tmp_path: Path) -> None:
    made = passwords_in(tmp_path)
    assert passwords_in(tmp_path) == made
    assert set(made) == {one.login for one in ACCOUNTS}
    assert (tmp_path / "demo-accounts.json").stat().st_mode & 0o777 == 0o600
    for login, password in made.items():
        require_strong(login, password)
    (tmp_path / "other").mkdir()
    assert passwords_in(tmp_path / "other") != made


def test_a_new_account_of_a_later_version_gets_a_password_beside_those_that_are_kept(tmp_path: Path) -> None:
    made = passwords_in(tmp_path)
    fewer = {login: password for login, password in made.items() if login != "auditor"}
    (tmp_path / "demo-accounts.json").write_text(str(fewer).replace("'", '"'), encoding="utf-8")
    again = passwords_in(tmp_path)
    assert {login: again[login] for login in fewer} == fewer
    assert "auditor" in again
