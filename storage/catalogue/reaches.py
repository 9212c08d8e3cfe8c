"""A viewer's reach (`domain.permissions.Reach`) as conditions on rows: one for each way a row can lie within it.

They say the same as `Reach.covers`; a test compares both over every kind of row.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_
from sqlalchemy.orm import InstrumentedAttribute

from domain.permissions import Reach

Column = InstrumentedAttribute[UUID | None]


def branches_of(
    reach: Reach,
    *,
    department_id: Column,
    programme_id: Column,
    cohort_id: Column | None = None,
    own: Sequence[ColumnElement[bool]] = (),
) -> list[ColumnElement[bool]] | None:
    """The ways into `reach`; None where it is everywhere, empty where it is nowhere.

    `own` are the conditions that make a row the account's own. A table without cohorts is for whole programmes.
    """
    if reach.everywhere:
        return None
    ways: list[ColumnElement[bool]] = list(own) if reach.own else []
    ways += [department_id == each for each in sorted(reach.department_ids)]
    ways += [programme_id == each for each in sorted(reach.programme_ids)]
    if cohort_id is not None:
        ways += [cohort_id == each for each in sorted(reach.cohort_ids)]
    for programme in sorted(reach.audience_programme_ids):
        whole = [] if cohort_id is None else [cohort_id.is_(None)]
        ways.append(and_(programme_id == programme, *whole))
    return ways


def narrowed(
    branches: list[ColumnElement[bool]] | None, to: Sequence[ColumnElement[bool]]
) -> tuple[list[ColumnElement[bool]], list[ColumnElement[bool]]]:
    """What lies within both: the ways of `to` as branches, and the old ones as a condition beside them."""
    if branches is None:
        return list(to), []
    return (list(to), [or_(*branches)]) if branches else ([], [])
