"""The demo's timetable: an iCalendar file whose two classes are on now, with a week of others around them; and the file
of after its story, which has one class that stays open.
"""

from datetime import UTC, datetime, time, timedelta
from uuid import NAMESPACE_URL, uuid4, uuid5
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vCalAddress

from domain.retention import INSTITUTE_ZONE

FIRST_TITLE = "课前说明"
LECTURE_TITLE = "课堂提问的艺术"
FIRST_MINUTES = 20
LECTURE_MINUTES = 40
OPEN_TITLE = "开放试播课"
OPEN_FOR = timedelta(hours=3)
# What else this cohort has: days from today, when it begins in the institute's zone, minutes, title, room.
WEEK = (
    (1, time(9, 0), 90, "板书与多媒体", "301 教室"),
    (1, time(14, 0), 90, "学情分析工作坊", "实训室 2"),
    (2, time(9, 0), 90, "作业设计与反馈", "301 教室"),
    (2, time(15, 30), 60, "优秀课例评析", "报告厅"),
    (3, time(10, 0), 120, "跨学科主题学习", "301 教室"),
    (5, time(9, 0), 90, "课堂管理", "301 教室"),
    (6, time(14, 0), 90, "信息技术融合", "机房 1"),
)


def render(now: datetime, instructor: str) -> bytes:
    """RFC 5545 text: a short first class that is nearly over, the lecture that begins in a minute, the week's others.

    A class that is over already would not be made a session; an encoder may begin a quarter of an hour early. The two
    are new each time; the others keep their UID, so that the next demo finds them unchanged.
    """
    start = _in_a_minute(now)
    first = start - timedelta(minutes=FIRST_MINUTES)
    return _file(
        now,
        instructor,
        _class(str(uuid4()), FIRST_TITLE, first, FIRST_MINUTES, "301 教室", instructor),
        _class(str(uuid4()), LECTURE_TITLE, start, LECTURE_MINUTES, "301 教室", instructor),
    )


def render_open(now: datetime, instructor: str) -> bytes:
    """The same week with one class in place of the two, which begins in a minute and goes on for `OPEN_FOR`."""
    minutes = int(OPEN_FOR.total_seconds() // 60)
    return _file(now, instructor, _class(str(uuid4()), OPEN_TITLE, _in_a_minute(now), minutes, "301 教室", instructor))


def _in_a_minute(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(microsecond=0) + timedelta(minutes=1)


def _file(now: datetime, instructor: str, *on_now: Event) -> bytes:
    calendar = Calendar()
    calendar.add("prodid", "-//Lectern//demo//")
    calendar.add("version", "2.0")
    for one in on_now:
        calendar.add_component(one)
    for days, at, minutes, title, room in WEEK:
        day = now.astimezone(ZoneInfo(INSTITUTE_ZONE)).date() + timedelta(days=days)
        begins = datetime.combine(day, at, ZoneInfo(INSTITUTE_ZONE)).astimezone(UTC)
        uid = str(uuid5(NAMESPACE_URL, f"{title} {day}"))
        calendar.add_component(_class(uid, title, begins, minutes, room, instructor))
    return bytes(calendar.to_ical())


def _class(uid: str, title: str, start: datetime, minutes: int, room: str, instructor: str) -> Event:
    event = Event()
    event.add("uid", f"{uid}@demo.lectern")
    event.add("dtstamp", start)
    event.add("summary", title)
    event.add("dtstart", start)
    event.add("dtend", start + timedelta(minutes=minutes))
    event.add("location", room)
    event.add("organizer", vCalAddress(f"MAILTO:{instructor}@lectern.invalid"))
    event.add("x-lectern-instructor", instructor)
    return event
