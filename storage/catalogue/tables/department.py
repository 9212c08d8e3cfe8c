"""A department of the institute; it owns modules and programmes (articles 9 and 10).

Every change through the mapper raises `version`, which is the API's ETag.
"""

from sqlalchemy import CheckConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalogue.tables.base import Identified, Table


class Department(Identified, Table):
    __tablename__ = "department"
    __table_args__ = (CheckConstraint("max_publishers IS NULL OR max_publishers >= 0", name="max_publishers"),)

    slug: Mapped[str] = mapped_column(unique=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    max_publishers: Mapped[int | None]
    """Encoders that its sessions may have on the air at one time; None: what the house's setting gives each."""
    version: Mapped[int] = mapped_column(default=1, server_default=text("1"))

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - the form that SQLAlchemy asks for
