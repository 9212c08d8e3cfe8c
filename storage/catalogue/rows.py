"""One row by its id, with or without its lock.

A locked row is read anew, whatever the transaction had seen of it: what is decided on it is decided on the truth.
"""

from collections.abc import Collection
from typing import TypeVar
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, any_, literal
from sqlalchemy.orm import InstrumentedAttribute

from domain.refusals import Refusal, RefusalCode
from storage.catalogue.tables.base import Table
from storage.catalogue.transaction import Transaction

R = TypeVar("R", bound=Table)


def among(column: InstrumentedAttribute[UUID], ids: Collection[UUID]) -> ColumnElement[bool]:
    """Whether the column is one of `ids`, which go as one array: IN would take a parameter each, and 65,535 at most."""
    return column == any_(literal(list(ids), ARRAY(Uuid())))


async def found(tx: Transaction, table: type[R], key: UUID) -> R:
    """The row; Refusal("not_found", kind=…, id=…) where there is none."""
    row = await tx.session.get(table, key)
    return _existing(table, key, row)


async def locked(tx: Transaction, table: type[R], key: UUID, version: int | None = None) -> R:
    """The row, locked to the transaction's end; Refusal("not_found"), or Refusal("stale_version") where `version` is
    given and is no longer the row's.
    """
    row = await tx.session.get(table, key, with_for_update=True, populate_existing=True)
    row = _existing(table, key, row)
    if version is not None:
        require_version(row, version)
    return row


def require_version(row: Table, version: int) -> None:
    """Refusal("stale_version") where the row, locked before, is no longer what somebody saw at `version`."""
    current = getattr(row, "version", None)
    if version != current:
        raise Refusal(RefusalCode.stale_version, version=version, current=current)


def _existing(table: type[R], key: UUID, row: R | None) -> R:
    if row is None:
        raise Refusal(RefusalCode.not_found, kind=table.__tablename__, id=key)
    return row
