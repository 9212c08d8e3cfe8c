"""The institute: departments, modules, programmes, cohorts and their rosters.

`put_…` make a row or bring the one of the same slug up to date, so that a seed or an import may run again.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from domain.permissions import Scope
from storage.catalogue.rows import found, locked
from storage.catalogue.tables.base import Table
from storage.catalogue.tables.cohort import Cohort
from storage.catalogue.tables.cohort_member import CohortMember
from storage.catalogue.tables.department import Department
from storage.catalogue.tables.module import Module
from storage.catalogue.tables.programme import Programme
from storage.catalogue.transaction import Actor, Transaction

R = TypeVar("R", bound=Table)


@dataclass(frozen=True, slots=True)
class Institute:
    """All of it; a few hundred rows."""

    departments: list[Department]
    modules: list[Module]
    programmes: list[Programme]
    cohorts: list[Cohort]


async def overview(tx: Transaction) -> Institute:
    """Everything, in the order in which people read it."""
    return Institute(
        departments=await departments(tx),
        modules=list((await tx.session.scalars(select(Module).order_by(Module.position, Module.slug))).all()),
        programmes=list((await tx.session.scalars(select(Programme).order_by(Programme.title))).all()),
        cohorts=list((await tx.session.scalars(select(Cohort).order_by(Cohort.title))).all()),
    )


async def put_department(tx: Transaction, slug: str, name_zh: str, name_en: str) -> Department:
    """The department called `slug`."""
    return await _put(tx, Department, {"slug": slug}, {"name_zh": name_zh, "name_en": name_en})


async def departments(tx: Transaction) -> list[Department]:
    """All, by their slugs."""
    return list((await tx.session.scalars(select(Department).order_by(Department.slug))).all())


async def max_publishers(tx: Transaction, department_id: UUID) -> int | None:
    """How many encoders the department may have on the air; None where it has no limit of its own."""
    return await tx.session.scalar(select(Department.max_publishers).where(Department.id == department_id))


async def lock_department(tx: Transaction, department_id: UUID) -> Department:
    """The department under its row's lock; Refusal("not_found")."""
    return await locked(tx, Department, department_id)


async def limit_publishers(tx: Transaction, actor: Actor, department: Department, most: int | None) -> None:
    """Gives the locked department a limit of its own, or none. Who is on the air already stays."""
    before, department.max_publishers = department.max_publishers, most
    await tx.session.flush()
    await tx.audit(actor, "capacity_changed", "department", department.id, before=before, after=most)


async def put_module(
    tx: Transaction, slug: str, position: int, name_zh: str, name_en: str, department_id: UUID
) -> Module:
    """The module called `slug`."""
    values = {"position": position, "name_zh": name_zh, "name_en": name_en, "department_id": department_id}
    return await _put(tx, Module, {"slug": slug}, values)


async def put_programme(
    tx: Transaction, slug: str, title: str, module_id: UUID, department_id: UUID | None = None
) -> Programme:
    """The programme called `slug`; its module's department owns it unless another is named."""
    owner = department_id or (await found(tx, Module, module_id)).department_id
    return await _put(tx, Programme, {"slug": slug}, {"title": title, "module_id": module_id, "department_id": owner})


async def put_cohort(tx: Transaction, programme_id: UUID, slug: str, title: str) -> Cohort:
    """The programme's cohort called `slug`."""
    return await _put(tx, Cohort, {"programme_id": programme_id, "slug": slug}, {"title": title})


async def enrol(tx: Transaction, cohort_id: UUID, account_ids: Iterable[UUID]) -> None:
    """Puts accounts on the cohort's roster; who stands there already stays."""
    rows = [{"cohort_id": cohort_id, "account_id": account_id} for account_id in account_ids]
    if rows:
        await tx.session.execute(insert(CohortMember).on_conflict_do_nothing(), rows)


async def withdraw(tx: Transaction, cohort_id: UUID, account_ids: Collection[UUID]) -> None:
    """Takes accounts off the cohort's roster."""
    mine = CohortMember.cohort_id == cohort_id
    await tx.session.execute(delete(CohortMember).where(mine, CohortMember.account_id.in_(account_ids)))


async def roster(tx: Transaction, cohort_id: UUID) -> list[UUID]:
    """The accounts on the cohort's roster."""
    statement = select(CohortMember.account_id).where(CohortMember.cohort_id == cohort_id)
    return list((await tx.session.scalars(statement)).all())


async def cohorts_of(tx: Transaction, account_id: UUID) -> list[Cohort]:
    """The cohorts on whose rosters the account stands."""
    statement = select(Cohort).join(CohortMember).where(CohortMember.account_id == account_id).order_by(Cohort.id)
    return list((await tx.session.scalars(statement)).all())


async def scope_of(tx: Transaction, programme_id: UUID | None, cohort_id: UUID | None) -> Scope:
    """Where a thing for this programme or cohort stands, with the programme and the department that follow from it."""
    if cohort_id is not None:
        programme_id = (await found(tx, Cohort, cohort_id)).programme_id
    department_id = None if programme_id is None else (await found(tx, Programme, programme_id)).department_id
    return Scope(department_id=department_id, programme_id=programme_id, cohort_id=cohort_id)


async def programmes_by_id(tx: Transaction, ids: Collection[UUID]) -> dict[UUID, Programme]:
    """Programmes for a page of items."""
    rows = await tx.session.scalars(select(Programme).where(Programme.id.in_(ids)))
    return {row.id: row for row in rows}


async def cohorts_by_id(tx: Transaction, ids: Collection[UUID]) -> dict[UUID, Cohort]:
    """Cohorts for a page of items."""
    rows = await tx.session.scalars(select(Cohort).where(Cohort.id.in_(ids)))
    return {row.id: row for row in rows}


async def _put(tx: Transaction, table: type[R], key: dict[str, Any], values: dict[str, Any]) -> R:
    statement = insert(table).values(**key, **values).on_conflict_do_update(index_elements=list(key), set_=values)
    rows = await tx.session.scalars(statement.returning(table), execution_options={"populate_existing": True})
    return rows.one()
