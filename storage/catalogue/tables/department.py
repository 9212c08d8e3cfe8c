"""A department of the institute; it owns modules and programmes (articles 9 and 10)."""

from sqlalchemy.orm import Mapped, mapped_column

from storage.catalogue.tables.base import Identified, Table


class Department(Identified, Table):
    __tablename__ = "department"

    slug: Mapped[str] = mapped_column(unique=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
