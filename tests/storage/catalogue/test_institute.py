"""The institute's tree is put once under each slug, and what follows from a cohort follows."""

import pytest

from domain.permissions import Scope
from storage.catalogue import institute
from storage.catalogue.identifiers import new_id
from storage.catalogue.transaction import Catalogue
from tests.storage.catalogue.builders import place

pytestmark = pytest.mark.anyio


async def test_putting_twice_changes_the_same_row(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        first = await institute.put_department(tx, "affairs", "教务", "Affairs")
        second = await institute.put_department(tx, "affairs", "教务处", "Academic affairs")
        assert first.id == second.id
        assert second.name_zh == "教务处"
        everything = await institute.overview(tx)
    assert [row.name_en for row in everything.departments] == ["Academic affairs"]


async def test_a_cohorts_scope_is_its_programme_and_department(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        at = await place(tx)
        assert await institute.scope_of(tx, None, at.cohort_id) == at.scope
        programme = Scope(at.scope.department_id, at.scope.programme_id)
        assert await institute.scope_of(tx, at.scope.programme_id, None) == programme
        assert await institute.scope_of(tx, None, None) == Scope()


async def test_rosters(catalogue: Catalogue) -> None:
    async with catalogue.transaction() as tx:
        at = await place(tx)
        await institute.enrol(tx, at.cohort_id, [at.learner_id, at.teacher_id])
        await institute.enrol(tx, at.cohort_id, [])
        assert set(await institute.roster(tx, at.cohort_id)) == {at.learner_id, at.teacher_id}
        assert [row.id for row in await institute.cohorts_of(tx, at.learner_id)] == [at.cohort_id]
        await institute.withdraw(tx, at.cohort_id, [at.learner_id])
        assert await institute.cohorts_of(tx, at.learner_id) == []
        assert set(await institute.cohorts_by_id(tx, [at.cohort_id])) == {at.cohort_id}


def test_identifiers_are_version_7_and_order_by_time() -> None:
    """RFC 9562 §5.7."""
    made = [new_id() for _ in range(1000)]
    assert {(key.version, key.variant) for key in made} == {(7, "specified in RFC 4122")}
    assert len(set(made)) == 1000
    milliseconds = [key.int >> 80 for key in made]
    assert milliseconds == sorted(milliseconds)
