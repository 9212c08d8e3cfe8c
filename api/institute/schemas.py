"""The shapes of the institute's parts."""

from typing import Annotated
from uuid import UUID

import msgspec

from api.shapes import Given


class DepartmentShape(msgspec.Struct):
    """A department; others name it by its id."""

    id: UUID
    slug: str
    name_zh: str
    name_en: str


class ModuleShape(msgspec.Struct):
    """A module of the home page, and the department that owns it (article 10)."""

    id: UUID
    slug: str
    position: int
    name_zh: str
    name_en: str
    department_id: UUID


class ProgrammeShape(msgspec.Struct):
    """A training programme under a module."""

    id: UUID
    slug: str
    title: str
    module_id: UUID
    department_id: UUID


class CohortShape(msgspec.Struct):
    """A class of a programme."""

    id: UUID
    slug: str
    title: str
    programme_id: UUID


class InstituteShape(msgspec.Struct):
    """All of it, in the order in which people read it."""

    departments: list[DepartmentShape]
    modules: list[ModuleShape]
    programmes: list[ProgrammeShape]
    cohorts: list[CohortShape]


class CapacityShape(msgspec.Struct):
    """How many encoders a department may have on the air at one time, and has."""

    department_id: UUID
    slug: str
    name_zh: str
    name_en: str
    max_publishers: int | None
    """Its own limit; null: what the house's setting gives every department."""
    publishing: int
    version: int


class CapacitiesShape(msgspec.Struct):
    """Every department's."""

    items: list[CapacityShape]


class CapacityChange(Given):
    """A department's own limit, or null for the house's."""

    max_publishers: Annotated[int, msgspec.Meta(ge=0, le=10_000)] | None
