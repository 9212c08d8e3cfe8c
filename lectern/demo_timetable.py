"""The demo's timetable: an iCalendar file whose two classes are on now."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from icalendar import Calendar, Event, vCalAddress

FIRST_TITLE = "课前说明"
LECTURE_TITLE = "课堂提问的艺术"
FIRST_MINUTES = 5
LECTURE_MINUTES = 10


def render(now: datetime, instructor: str) -> bytes:
    """RFC 5545 text: a short first class that is nearly over, and the lecture that begins in a minute.

    A class that is over already would not be made a session; an encoder may begin a quarter of an hour early.
    """
    start = now.astimezone(UTC).replace(microsecond=0) + timedelta(minutes=1)
    calendar = Calendar()
    calendar.add("prodid", "-//Lectern//demo//")
    calendar.add("version", "2.0")
    calendar.add_component(_class(FIRST_TITLE, start - timedelta(minutes=FIRST_MINUTES), FIRST_MINUTES, instructor))
    calendar.add_component(_class(LECTURE_TITLE, start, LECTURE_MINUTES, instructor))
    return bytes(calendar.to_ical())


def _class(title: str, start: datetime, minutes: int, instructor: str) -> Event:
    event = Event()
    event.add("uid", f"{uuid4()}@demo.lectern")
    event.add("dtstamp", start)
    event.add("summary", title)
    event.add("dtstart", start)
    event.add("dtend", start + timedelta(minutes=minutes))
    event.add("location", "301 教室")
    event.add("organizer", vCalAddress(f"MAILTO:{instructor}@lectern.invalid"))
    event.add("x-lectern-instructor", instructor)
    return event
