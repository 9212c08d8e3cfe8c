"""/api/v1/institute: departments, modules, programmes and cohorts, a few hundred rows at once."""

from litestar import get

from api import permit
from api.institute.schemas import CohortShape, DepartmentShape, InstituteShape, ModuleShape, ProgrammeShape
from api.resources import Resources
from domain.permissions import Action
from storage.catalogue import institute


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


INSTITUTE_ROUTES = [overview]
