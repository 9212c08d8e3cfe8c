"""What a major event's filing must say, field by field, and that nobody approves or reviews himself."""

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from domain.filing import Filing, missing, require_complete, require_filed, require_may_approve
from domain.kinds import SessionKind
from domain.refusals import Refusal

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
INSTRUCTOR, RESPONSIBLE, REVIEWER = UUID(int=1), UUID(int=2), UUID(int=3)
WHOLE = Filing(
    title="全市教研大会",
    summary="新课标下的课堂",
    organiser="教师发展中心",
    districts=("海淀", "西城"),
    equipment=("encoder-1",),
    expected_audience=3000,
    instructor_id=INSTRUCTOR,
    responsible_id=RESPONSIBLE,
    reviewer_id=REVIEWER,
    retention_class="major_event",
    starts_at=AT,
    ends_at=AT,
)
EMPTIED: list[tuple[str, Any]] = [
    ("title", "  "),
    ("summary", ""),
    ("organiser", ""),
    ("districts", ()),
    ("districts", (" ",)),
    ("equipment", ()),
    ("expected_audience", None),
    ("expected_audience", 0),
    ("instructor_id", None),
    ("responsible_id", None),
    ("reviewer_id", None),
    ("retention_class", None),
    ("retention_class", ""),
    ("starts_at", None),
    ("ends_at", None),
]


def test_a_whole_filing_lacks_nothing() -> None:
    assert missing(WHOLE) == ()
    require_complete(WHOLE)


@pytest.mark.parametrize(("name", "empty"), EMPTIED)
def test_each_thing_that_is_not_said_is_named(name: str, empty: Any) -> None:
    unsaid = replace(WHOLE, **{name: empty})
    assert missing(unsaid) == (name,)
    with pytest.raises(Refusal) as no:
        require_complete(unsaid)
    assert (no.value.code, no.value.facts) == ("filing_incomplete", {"missing": name})


def test_an_empty_filing_lacks_every_field_there_is() -> None:
    assert set(missing(Filing())) == {field.name for field in fields(Filing)} == {name for name, _ in EMPTIED}


def test_who_speaks_does_not_watch_over_himself() -> None:
    with pytest.raises(Refusal, match="self_review"):
        require_complete(replace(WHOLE, reviewer_id=INSTRUCTOR))
    require_complete(replace(WHOLE, responsible_id=INSTRUCTOR))


def test_who_filed_does_not_approve() -> None:
    require_may_approve(frozenset({RESPONSIBLE, INSTRUCTOR}), REVIEWER)
    with pytest.raises(Refusal, match="self_review"):
        require_may_approve(frozenset({RESPONSIBLE, INSTRUCTOR}), RESPONSIBLE)


def test_daily_teaching_files_nothing_and_a_major_event_everything() -> None:
    require_filed(SessionKind.daily, None)
    require_filed(SessionKind.major, AT)
    with pytest.raises(Refusal, match="filing_missing"):
        require_filed(SessionKind.major, None)
