"""What every table shares: names of constraints, the mapping of Python types to columns, and enum columns.

Constraint names are fixed by convention, so that a migration can name what it drops. An enum column is text with a
CHECK made from the domain's StrEnum: one list of words, and the database refuses any other.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import DateTime, Enum, LargeBinary, MetaData, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from storage.catalogue.identifiers import new_id

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
    "ex": "ex_%(table_name)s_%(constraint_name)s",
}

Json = dict[str, Any]
Digest = bytes
"""A SHA-256, 32 bytes. An alias, since some tables have a column `bytes`, which hides the type in their class."""


class Table(DeclarativeBase):
    """The base of every table; `Table.metadata` is the whole catalogue once `tables.every` is imported."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text(),
        bytes: LargeBinary(),
        datetime: DateTime(timezone=True),
        UUID: Uuid(),
        Json: JSONB(),
        list[Json]: JSONB(),
        list[str]: JSONB(),
    }


class Identified:
    """A table whose rows have an identifier of their own."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id, sort_order=-1)


def choice(words: type[StrEnum], name: str) -> Enum:
    """The type of an enum column called `name`: text, checked against the values of `words`."""
    return Enum(
        words,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )
