"""A retention class (保存类别): how many calendar months a recording is kept; none means for good."""

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalogue.tables.base import Table


class RetentionClass(Table):
    __tablename__ = "retention_class"
    __table_args__ = (CheckConstraint("months > 0", name="months"),)

    slug: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    months: Mapped[int | None]
