"""`lectern user`, run as a person runs it: the command, its input, its output, and what it left in the catalogue."""

import asyncio
import os
import pwd
from collections.abc import Mapping, Sequence

import click
import pytest
from argon2 import PasswordHasher
from click.testing import CliRunner, Result

from domain.kinds import Role, ScopeKind
from domain.permissions import Grant
from domain.refusals import Refusal
from lectern.commands.user import command as user
from lectern.complaint import Complaint
from storage.catalogue import accounts, audit, institute
from storage.catalogue.tables.account import Account
from storage.catalogue.tables.audit_entry import AuditEntry
from storage.catalogue.transaction import Catalogue
from tests.conftest import CatalogueUrls

GOOD = "Chalk-and-board-7"


@click.group()
@click.pass_context
def lectern(context: click.Context) -> None:
    context.obj = {"config": None, "debug": False}


lectern.add_command(user)


class Terminal:
    """Runs `lectern user …` against this test's catalogue."""

    def __init__(self, urls: CatalogueUrls) -> None:
        self.urls = urls
        names = ("DATABASE_OWNER_URL", "S3_ENDPOINT", "S3_ACCESS_KEY", "S3_SECRET_KEY")
        self.environ: Mapping[str, str] = {
            "LECTERN_STORAGE_DATABASE_URL": urls.app,
            "LECTERN_STORAGE_VALKEY_URL": "redis://127.0.0.1:1",  # away: nothing that is done here needs it
            **{f"LECTERN_STORAGE_{name}": "unused" for name in names},
        }

    def run(self, *arguments: str, typed: str = "") -> str:
        """What it printed; raises what the command raised."""
        result: Result = CliRunner().invoke(
            lectern, ["user", *arguments], input=typed, env=self.environ, catch_exceptions=False
        )
        assert result.exit_code == 0, result.output
        return result.output

    def found(self, login: str) -> tuple[Account | None, Sequence[Grant]]:
        """The account and its grants, as the catalogue has them."""

        async def look() -> tuple[Account | None, Sequence[Grant]]:
            catalogue = Catalogue(self.urls.app)
            async with catalogue.transaction() as tx:
                account = await accounts.by_login(tx, login)
                grants = await accounts.grants_of(tx, account.id) if account else ()
            await catalogue.close()
            return account, grants

        return asyncio.run(look())

    def trail(self) -> list[AuditEntry]:
        """The audit trail, the newest entry first."""

        async def look() -> list[AuditEntry]:
            catalogue = Catalogue(self.urls.app)
            async with catalogue.transaction() as tx:
                found = await audit.entries(tx)
            await catalogue.close()
            return found

        return asyncio.run(look())


@pytest.fixture
def terminal(catalogue_urls: CatalogueUrls) -> Terminal:
    return Terminal(catalogue_urls)


def test_an_account_with_a_role_is_added_and_audited(terminal: Terminal) -> None:
    told = terminal.run("add", "Zhou", "--name", "周教务", "--role", "academic_affairs", typed=GOOD + "\n")
    assert told == "zhou added\n"
    account, grants = terminal.found("zhou")
    assert account is not None
    assert PasswordHasher().verify(account.password_hash or "", GOOD)
    assert grants == (Grant(Role.academic_affairs, ScopeKind.institute),)

    acts = [(one.action, one.actor_name) for one in terminal.trail()]
    assert [action for action, _ in acts] == ["role_granted", "account_added"]
    assert all(name.startswith("command line (") for _, name in acts)


def test_a_weak_or_missing_password_adds_nothing(terminal: Terminal) -> None:
    with pytest.raises(Refusal, match="password_too_weak"):
        terminal.run("add", "zhou", "--name", "周", typed="12345\n")
    with pytest.raises(Complaint, match="no password"):
        terminal.run("add", "zhou", "--name", "周")
    assert terminal.found("zhou") == (None, ())


def test_a_login_is_given_once(terminal: Terminal) -> None:
    terminal.run("add", "zhou", "--name", "周", "--no-password")
    with pytest.raises(Complaint, match="has an account already"):
        terminal.run("add", "ZHOU", "--name", "周", "--no-password")


def test_a_password_is_set_for_whom_there_is(terminal: Terminal) -> None:
    terminal.run("add", "zhou", "--name", "周", "--no-password")
    assert terminal.run("password", "zhou", typed=GOOD + "\n") == "zhou: password set\n"
    account, _ = terminal.found("zhou")
    assert account is not None
    assert PasswordHasher().verify(account.password_hash or "", GOOD)
    with pytest.raises(Complaint, match="no account has the login nobody"):
        terminal.run("password", "nobody", typed=GOOD + "\n")


def test_nobody_sets_an_auditors_password_in_silence_or_under_anothers_name(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment may say anything; the trail names the process's own user, and under sudo who called it."""
    for name in ("USER", "LOGNAME", "LNAME", "USERNAME", "SUDO_USER"):
        monkeypatch.setenv(name, "somebody-else")
    monkeypatch.delenv("SUDO_UID", raising=False)
    me = pwd.getpwuid(os.getuid()).pw_name
    assert "auditor" in terminal.run("add", "shen", "--name", "沈", "--role", "auditor", "--no-password")
    told = terminal.run("password", "shen", typed=GOOD + "\n")
    assert told == f"shen: password set (auditor: the audit trail names {me} for it)\n"
    newest = terminal.trail()[0]
    assert (newest.action, newest.actor_name) == ("password_set", f"command line ({me})")
    assert newest.details == {"held": ["auditor"]}
    assert GOOD not in str([one.details for one in terminal.trail()])


def test_under_sudo_both_are_named_and_a_user_without_a_name_by_number(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 0)
    monkeypatch.setenv("SUDO_UID", "4000000000")
    terminal.run("add", "shen", "--name", "沈", "--no-password")
    assert terminal.trail()[0].actor_name == "command line (root for uid 4000000000)"
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)
    terminal.run("password", "shen", typed=GOOD + "\n")
    assert terminal.trail()[0].actor_name == "command line (uid 4000000000)"


def test_roles_hold_in_places_and_exclude_each_other(terminal: Terminal) -> None:
    async def build() -> None:
        catalogue = Catalogue(terminal.urls.app)
        async with catalogue.transaction() as tx:
            office = await institute.put_department(tx, "office", "教务处", "Office")
            module = await institute.put_module(tx, "city", 1, "市级", "City", office.id)
            await institute.put_programme(tx, "skills", "教学技能", module.id)
        await catalogue.close()

    asyncio.run(build())
    terminal.run("add", "zhao", "--name", "赵", "--no-password")
    with pytest.raises(Complaint, match="held in: programme"):
        terminal.run("role", "zhao", "programme_lead")
    with pytest.raises(Complaint, match="no programme called other"):
        terminal.run("role", "zhao", "programme_lead", "--scope", "programme:other")
    assert terminal.run("role", "zhao", "programme_lead", "--scope", "programme:skills") == "zhao is programme_lead\n"
    assert terminal.run("role", "zhao", "programme_lead", "--scope", "programme:skills") == "zhao was programme_lead\n"
    with pytest.raises(Complaint, match="nobody may be auditor beside it"):
        terminal.run("role", "zhao", "auditor")
    terminal.run("role", "zhao", "programme_lead", "--scope", "programme:skills", "--remove")
    assert terminal.found("zhao")[1] == ()
    with pytest.raises(Complaint, match="is not auditor"):
        terminal.run("role", "zhao", "auditor", "--remove")


def test_the_list_shows_roles_and_states(terminal: Terminal) -> None:
    terminal.run("add", "zhao", "--name", "赵", "--no-password")
    terminal.run("add", "zhou", "--name", "周", "--role", "auditor", typed=GOOD + "\n")
    lines = [line.split() for line in terminal.run("list").splitlines()]
    assert lines[1:] == [["zhao", "赵", "–", "no", "password"], ["zhou", "周", "auditor", "open"]]
    assert len(terminal.run("list", "-q", "zhao").splitlines()) == 2


def test_no_command_takes_a_password_as_an_argument() -> None:
    for command in user.commands.values():
        names = {name for parameter in command.params for name in (parameter.name, *parameter.opts)}
        assert not {"password", "--password", "-p"} & names
        told = CliRunner().invoke(command, ["--help"]).output
        assert "standard input" in told or command.name != "add"
