"""A training programme (培训项目) under a module, owned by a department."""

from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalogue.tables.base import Identified, Table


class Programme(Identified, Table):
    __tablename__ = "programme"

    module_id: Mapped[UUID] = mapped_column(ForeignKey("module.id"))
    department_id: Mapped[UUID] = mapped_column(ForeignKey("department.id"), index=True)
    slug: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
