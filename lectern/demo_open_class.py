"""What the demo leaves to be tried: one class that is open for some hours, and who publishes into it, and how."""

import shlex
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.retention import INSTITUTE_ZONE
from lectern import demo_timetable
from lectern.demo_client import Person
from lectern.own_settings import LecternSettings
from lectern.settings import Settings, variable
from lectern.supervisor import console_script

TEST_PICTURE = (
    "ffmpeg -re -f lavfi -i testsrc2=size=1280x720:rate=25 -f lavfi -i sine=frequency=220 "
    "-c:v libx264 -preset veryfast -tune zerolatency -pix_fmt yuv420p -g 50 -c:a aac -f flv"
)


@dataclass(frozen=True)
class OpenClass:
    """The session as the API tells it, with its address for encoders."""

    session_id: str
    title: str
    ends_at: datetime
    rtmp_server: str
    key: str = field(repr=False)


async def leave_open(
    office: Person, imports: Callable[[bytes], Awaitable[object]], instructor: str, now: datetime
) -> OpenClass:
    """Has the office import the timetable once more, with the open class in it."""
    await imports(demo_timetable.render_open(now, instructor))
    around = {"from": now.isoformat(), "to": (now + demo_timetable.OPEN_FOR).isoformat()}
    listed = await office.get("/sessions", state=["scheduled"], **around)
    (session,) = [one for one in listed["items"] if one["title"] == demo_timetable.OPEN_TITLE]
    address = await office.get(f"/sessions/{session['id']}/ingest")
    ends_at = datetime.fromisoformat(session["ends_at"])
    return OpenClass(session["id"], session["title"], ends_at, address["rtmp_server"], address["key"])


def how_to_publish(open_class: OpenClass, url: str, login: str, password: str, now: datetime) -> list[str]:
    """Lines for a person with a browser, OBS or ffmpeg, in front of a clock that says `now` in a zone of its own."""
    until = open_class.ends_at.astimezone(ZoneInfo(INSTITUTE_ZONE))
    when = f"{until:%H:%M}" if until.date() == now.date() else f"{until:%Y-%m-%d %H:%M}"
    page, server, key = f"{url}/sessions/{open_class.session_id}", open_class.rtmp_server, open_class.key
    return [
        f"《{open_class.title}》 is open until {when} ({INSTITUTE_ZONE}); its instructor: {login} {password}",
        f"  in the browser  {page}",
        f"  in OBS          server {server}, stream key {key}",
        f"  a test picture  {TEST_PICTURE} {server}/{key}",
    ]


def how_to_command(settings: Settings, recording_id: UUID | None) -> list[str]:
    """Lines that run other commands beside this house, in the folder that this one was started in."""
    here, folder = Path.cwd(), settings.lectern.data_folder
    name, usual = variable("lectern", "data_folder"), here / LecternSettings().data_folder
    words = [shlex.quote(_short(Path(one), here)) for one in console_script()]
    if folder != usual:
        words.insert(0, f"{name}={shlex.quote(_short(folder, here))}")
    asked = ["user list", "doctor", "retention run --dry-run"]
    if recording_id is not None:
        asked.insert(2, f"recording verify {recording_id}")
    return [f"Beside it, in {here}:", *(f"  {' '.join([*words, one])}" for one in asked)]


def _short(path: Path, here: Path) -> str:
    return str(path.relative_to(here)) if path.is_absolute() and path.is_relative_to(here) else str(path)
