"""A module of the public home page, owned by one department (article 10 names eight)."""

from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalogue.tables.base import Identified, Table


class Module(Identified, Table):
    __tablename__ = "module"

    slug: Mapped[str] = mapped_column(unique=True)
    position: Mapped[int]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    department_id: Mapped[UUID] = mapped_column(ForeignKey("department.id"))
