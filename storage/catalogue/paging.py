"""Lists a page at a time, by keyset: a page costs the same at the first row as at the millionth.

A cursor names the last row of its page by what the list is ordered by (an instant and the row's id); the next page
begins after it, whatever was added or removed meanwhile. Where a viewer reaches a handful of departments, programmes or
cohorts, each of them is walked by its own index and the heads are merged: one OR over them would make PostgreSQL walk
the rows of everybody else to find them.
"""

import base64
import binascii
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select, tuple_, union
from sqlalchemy.orm import InstrumentedAttribute

from domain.refusals import Refusal, RefusalCode
from storage.catalogue.tables.base import Table
from storage.catalogue.transaction import Transaction

R = TypeVar("R", bound=Table)
P = TypeVar("P")

PAGE = 50
LONGEST_PAGE = 200
"""What a page's reader may ask for at most: an answer stays under a few hundred kilobytes."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CURSOR = struct.Struct(">q16s")


@dataclass(frozen=True, slots=True)
class Page(Generic[P]):
    """Some items, and where the next page begins; None at the end of the list."""

    items: list[P]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Order:
    """What a list is ordered by: an instant, then the id."""

    at: InstrumentedAttribute[Any]
    id: InstrumentedAttribute[UUID]
    descending: bool = True

    def clauses(self) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
        """For ORDER BY."""
        if self.descending:
            return self.at.desc(), self.id.desc()
        return self.at.asc(), self.id.asc()

    def after(self, cursor: str) -> ColumnElement[bool]:
        """What comes after the cursor's row."""
        at, key = read_cursor(cursor)
        here, there = tuple_(self.at, self.id), tuple_(at, key)
        return here < there if self.descending else here > there


def cursor_of(at: datetime, key: UUID) -> str:
    """The cursor of a row: 24 bytes as base64url, 32 characters."""
    microseconds = (at - EPOCH) // timedelta(microseconds=1)
    return base64.urlsafe_b64encode(_CURSOR.pack(microseconds, key.bytes)).decode("ascii")


def read_cursor(cursor: str) -> tuple[datetime, UUID]:
    """What `cursor_of` was given; Refusal("invalid_input", field="cursor") for anything that it did not make."""
    try:
        microseconds, key = _CURSOR.unpack(base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True))
        return EPOCH + timedelta(microseconds=microseconds), UUID(bytes=key)
    except (struct.error, binascii.Error, UnicodeEncodeError, OverflowError) as error:
        raise Refusal(RefusalCode.invalid_input, field="cursor") from error


async def page_of(
    tx: Transaction,
    table: type[R],
    order: Order,
    *,
    where: Sequence[ColumnElement[bool]] = (),
    branches: Sequence[ColumnElement[bool]] | None = None,
    cursor: str | None = None,
    limit: int = PAGE,
) -> Page[R]:
    """A page of the rows that meet every condition of `where` and at least one of `branches` (None: all do)."""
    limit = max(1, min(limit, LONGEST_PAGE))
    if branches is not None and not branches:
        return Page([], None)
    conditions = [*where, order.after(cursor)] if cursor else list(where)
    if branches is None or len(branches) == 1:
        statement = select(table).where(*conditions, *(branches or ())).order_by(*order.clauses()).limit(limit + 1)
    else:
        statement = _merged(table, order, conditions, branches, limit + 1)
    rows = list((await tx.session.scalars(statement)).all())
    if len(rows) <= limit:
        return Page(rows, None)
    last = rows[limit - 1]
    return Page(rows[:limit], cursor_of(getattr(last, order.at.key), getattr(last, order.id.key)))


def _merged(
    table: type[R],
    order: Order,
    conditions: Sequence[ColumnElement[bool]],
    branches: Sequence[ColumnElement[bool]],
    count: int,
) -> Select[R]:
    """The first `count` rows of each branch, merged: rows of several branches once (UNION, not UNION ALL)."""
    heads = union(
        *(
            select(order.id.label("key"), order.at.label("at"))
            .where(branch, *conditions)
            .order_by(*order.clauses())
            .limit(count)
            for branch in branches
        )
    ).subquery()
    return select(table).join(heads, heads.c.key == order.id).order_by(*order.clauses()).limit(count)
