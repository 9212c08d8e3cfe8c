"""Names of a sheet's columns, in Chinese and English; docs/timetables.md lists the same.

A name matches whatever its case, spaces and underscores.
"""

import unicodedata
from collections.abc import Sequence
from enum import StrEnum, auto


class Column(StrEnum):
    """What a column holds."""

    uid = auto()
    date = auto()
    start = auto()
    end = auto()
    time = auto()
    course = auto()
    instructor = auto()
    room = auto()
    status = auto()


NAMES: dict[Column, tuple[str, ...]] = {
    Column.uid: ("编号", "课次编号", "id", "uid"),
    Column.date: ("日期", "上课日期", "date"),
    Column.start: ("开始", "开始时间", "上课时间", "start", "start time", "starts at"),
    Column.end: ("结束", "结束时间", "下课时间", "end", "end time", "ends at"),
    Column.time: ("时间", "起止时间", "time"),
    Column.course: ("课程", "课程名称", "课程名", "title", "course", "subject"),
    Column.instructor: ("教师", "教师账号", "授课教师", "任课教师", "instructor", "teacher"),
    Column.room: ("教室", "地点", "上课地点", "room", "location"),
    Column.status: ("状态", "status"),
}
CANCELLED = frozenset({"取消", "已取消", "停课", "cancelled", "canceled"})
CONFIRMED = frozenset({"", "正常", "confirmed", "tentative"})


def folded(name: str) -> str:
    """A column's name as it is compared."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().replace("_", " ").split())


_BY_NAME = {folded(name): column for column, names in NAMES.items() for name in names}


def places(header: Sequence[str]) -> dict[Column, int]:
    """Where each column stands in this row, if it is a header; the first of two equal names counts."""
    found: dict[Column, int] = {}
    for place, name in enumerate(header):
        column = _BY_NAME.get(folded(name))
        if column is not None:
            found.setdefault(column, place)
    return found


def missing(found: dict[Column, int]) -> list[Column]:
    """Which columns a sheet with these cannot do without."""
    wanted = [] if Column.course in found else [Column.course]
    if Column.instructor not in found:
        wanted.append(Column.instructor)
    if Column.time not in found:
        wanted += [column for column in (Column.start, Column.end) if column not in found]
    if Column.time in found and Column.date not in found:
        wanted.append(Column.date)
    return wanted
