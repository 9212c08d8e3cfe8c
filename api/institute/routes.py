"""/api/v1/institute: departments, modules, programmes and cohorts, a few hundred rows at once. /api/v1/capacities: how
many encoders each department may have on the air.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from litestar import Request, Response, get, put

from api import permit
from api.institute.schemas import (
    CapacitiesShape,
    CapacityChange,
    CapacityShape,
    CohortShape,
    DepartmentShape,
    InstituteShape,
    ModuleShape,
    ProgrammeShape,
)
from api.resources import Resources
from api.versions import etag, seen
from domain.permissions import Action
from storage.catalogue import institute, takes
from storage.catalogue.tables.department import Department
from storage.catalogue.transaction import Actor, Transaction


@get("/institute", opt=permit.action(Action.institute_read))
async def overview(resources: Resources) -> InstituteShape:
    """The institute's parts and their names."""
    async with resources.catalogue.transaction() as tx:
        found = await institute.overview(tx)
    return InstituteShape(
        departments=[DepartmentShape(one.id, one.slug, one.name_zh, one.name_en) for one in found.departments],
        modules=[
            ModuleShape(one.id, one.slug, one.position, one.name_zh, one.name_en, one.department_id)
            for one in found.modules
        ],
        programmes=[
            ProgrammeShape(one.id, one.slug, one.title, one.module_id, one.department_id) for one in found.programmes
        ],
        cohorts=[CohortShape(one.id, one.slug, one.title, one.programme_id) for one in found.cohorts],
    )


@get("/capacities", opt=permit.action(Action.capacity_edit))
async def capacities(resources: Resources) -> CapacitiesShape:
    """Each department's limit, and how many encoders it has on the air now."""
    async with resources.catalogue.transaction() as tx:
        return CapacitiesShape(await _capacities(tx))


@put("/capacities/{department_id:uuid}", opt=permit.action(Action.capacity_edit))
async def set_capacity(
    request: Request[Any, Any, Any], resources: Resources, actor: Actor, department_id: UUID, data: CapacityChange
) -> Response[CapacityShape]:  # fmt: skip
    """Give a department a limit of its own, or with null the house's; needs If-Match. Who is on the air stays."""
    async with resources.catalogue.transaction() as tx:
        department = await institute.lock_department(tx, department_id)
        seen(request).require(department)
        await institute.limit_publishers(tx, actor, department, data.max_publishers)
        shape = _capacity(department, await takes.publishing_by_department(tx))
    return Response(shape, headers=etag(shape.version))


async def _capacities(tx: Transaction) -> list[CapacityShape]:
    publishing = await takes.publishing_by_department(tx)
    return [_capacity(one, publishing) for one in await institute.departments(tx)]


def _capacity(one: Department, publishing: Mapping[UUID, int]) -> CapacityShape:
    on_air = publishing.get(one.id, 0)
    return CapacityShape(one.id, one.slug, one.name_zh, one.name_en, one.max_publishers, on_air, one.version)


INSTITUTE_ROUTES = [overview, capacities, set_capacity]
