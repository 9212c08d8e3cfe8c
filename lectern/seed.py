"""A first institute: its departments, the eight modules of the home page (article 10), programmes, cohorts, accounts.

Run again, it changes nothing that is there. Passwords are made once, by chance, and kept beside the data (0600).
"""

import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from argon2 import PasswordHasher

from domain.kinds import Role, ScopeKind
from domain.passwords import require_strong
from domain.permissions import Grant
from storage.catalogue import accounts, institute, ladder, timetables
from storage.catalogue.transaction import Actor, Transaction
from storage.embedded.folder import write_private
from transcode.ladder import DEFAULT_PLAN_SLUG, DEFAULT_RENDITIONS

DEPARTMENTS = (
    ("academic-affairs", "教务处", "Academic Affairs Office"),
    ("teacher-development", "教师发展中心", "Teacher Development Centre"),
    ("personnel", "人事处", "Personnel Office"),
    ("publicity", "宣传部", "Publicity Office"),
    ("network-centre", "网络研修中心", "Network Centre"),
)
MODULES = (
    ("city-training", "市级培训", "City training", "academic-affairs"),
    ("national-training", "国培计划", "National training plan", "academic-affairs"),
    ("commissioned-training", "委托合作培训", "Commissioned training", "academic-affairs"),
    ("assistance-training", "援助培训", "Assistance training", "academic-affairs"),
    ("degree-education", "学历教育", "Degree education", "academic-affairs"),
    ("live", "直播动态", "Live", "academic-affairs"),
    ("public-courses", "公共必修课", "Public compulsory courses", "teacher-development"),
    ("internal-training", "学院内训", "Internal training", "personnel"),
)
PROGRAMMES = (
    ("teaching-skills", "教学技能提升", "city-training", (("class-1", "一班"), ("class-2", "二班"))),
    ("head-teachers", "骨干班主任研修", "national-training", (("autumn", "秋季班"),)),
    ("ethics", "师德与教育法规", "public-courses", (("all", "全体教师"),)),
    ("onboarding", "新教师入职", "internal-training", (("this-year", "本年度"),)),
)
TIMETABLE = "teaching-skills-1"
PASSWORD_WORDS = ("Chalk", "Board", "Lamp", "Desk", "Globe", "Atlas", "Prism", "Lyric")


@dataclass(frozen=True)
class SeedAccount:
    """An account of the seed: its one role says what it is for; what is not `shown` the demo's story signs in as.

    An account has one sign-in: were the story to use those on the screen, whoever tried one would end it. It plays the
    same persons under logins of its own, so that what it leaves (a course's provider) is by a person on the screen.
    """

    login: str
    display_name: str
    role: Role
    scope: ScopeKind = ScopeKind.institute
    place: str = ""
    shown: bool = True


ACCOUNTS = (
    SeedAccount("learner", "王同学", Role.learner, ScopeKind.cohort, "class-1"),
    SeedAccount("teacher", "李老师", Role.teacher),
    SeedAccount("lead", "赵项目", Role.programme_lead, ScopeKind.programme, "teaching-skills"),
    SeedAccount("manager", "陈主任", Role.department_manager, ScopeKind.department, "academic-affairs"),
    SeedAccount("academic", "周教务", Role.academic_affairs),
    SeedAccount("publicity", "吴宣传", Role.publicity_office),
    SeedAccount("network", "郑网络", Role.network_centre),
    SeedAccount("inspector", "孙督查", Role.inspector),
    SeedAccount("sysadmin", "钱系统", Role.system_administrator),
    SeedAccount("secadmin", "冯安全", Role.security_administrator),
    SeedAccount("auditor", "蒋审计", Role.auditor),
    SeedAccount("story-office", "周教务", Role.academic_affairs, shown=False),
    SeedAccount("story-learner", "王同学", Role.learner, ScopeKind.cohort, "class-1", shown=False),
)


async def seed(tx: Transaction, passwords: dict[str, str], now: datetime) -> None:
    """Write the institute and its accounts; what exists stays as it is, but for names."""
    await ladder.put_plan(tx, DEFAULT_PLAN_SLUG, [dict(one) for one in DEFAULT_RENDITIONS])
    places = await _places(tx)
    for one in ACCOUNTS:
        await _account(tx, one, passwords[one.login], places, now)


async def _places(tx: Transaction) -> dict[str, UUID]:
    departments = {slug: (await institute.put_department(tx, slug, zh, en)).id for slug, zh, en in DEPARTMENTS}
    modules = {
        slug: (await institute.put_module(tx, slug, position, zh, en, departments[owner])).id
        for position, (slug, zh, en, owner) in enumerate(MODULES, start=1)
    }
    places = dict(departments)
    for slug, title, module, cohorts in PROGRAMMES:
        programme = await institute.put_programme(tx, slug, title, modules[module])
        places[slug] = programme.id
        for cohort_slug, cohort_title in cohorts:
            places[cohort_slug] = (await institute.put_cohort(tx, programme.id, cohort_slug, cohort_title)).id
    await timetables.put(
        tx, TIMETABLE, "教学技能提升 · 一班课表", programme_id=places["teaching-skills"], cohort_id=places["class-1"]
    )
    return places


async def _account(tx: Transaction, one: SeedAccount, password: str, places: dict[str, UUID], now: datetime) -> None:
    known = await accounts.by_login(tx, one.login)
    if known is not None:
        if not one.shown:
            known.display_name = one.display_name
        return
    require_strong(one.login, password)
    account = await accounts.add(tx, one.login, one.display_name, PasswordHasher().hash(password))
    scope_id = places[one.place] if one.place else None
    await accounts.grant(tx, account.id, Grant(one.role, one.scope, scope_id), None, now)
    if one.role == Role.learner and scope_id is not None:
        await institute.enrol(tx, scope_id, [account.id])
    await tx.audit(Actor.system("seed"), "account_added", "account", account.id, login=one.login, role=one.role.value)


def passwords_in(folder: Path) -> dict[str, str]:
    """The passwords of the seed's accounts, made at the first call and kept in `folder`."""
    kept = folder / "demo-accounts.json"
    known: dict[str, str] = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    missing = [one.login for one in ACCOUNTS if one.login not in known]
    if missing:
        known |= {login: _password() for login in missing}
        write_private(kept, json.dumps(known, indent=2))
    return known


def _password() -> str:
    """Four parts that a person can type and the policy takes."""
    words = secrets.SystemRandom().sample(PASSWORD_WORDS, 2)
    return f"{words[0]}-{words[1]}-{secrets.randbelow(9000) + 1000}"
