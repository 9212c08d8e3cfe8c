"""The class that the demo leaves open takes an encoder at once, by the address that is shown for it."""

from datetime import UTC, datetime

import anyio
import pytest
from anyio.from_thread import BlockingPortal

from lectern.demo_client import Person as Client
from lectern.demo_lecture import Encoder
from lectern.demo_open_class import leave_open
from lectern.seed import TIMETABLE
from tests.journeys.classroom import Classroom
from tests.kit.house import House

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

LIVE_SECONDS = 20.0


def test_it_goes_live_and_a_later_demo_finds_the_room_again(
    house: House, portal: BlockingPortal, classroom: Classroom
) -> None:
    classroom.empty()
    portal.call(open_and_publish, house)
    classroom.empty()


async def open_and_publish(house: House) -> None:
    office = Client(house.origin)

    async def imports(data: bytes) -> None:
        file = ("timetable.ics", data, "text/calendar")
        report = await office.post("/timetable-imports", files={"file": file}, data={"timetable": TIMETABLE})
        assert report["rejected"] == []

    try:
        await office.sign_in("academic", house.passwords["academic"])
        left = await leave_open(office, imports, "teacher", datetime.now(UTC))
        encoder = await Encoder.publish(f"{left.rtmp_server}/{left.key}")
        try:
            with anyio.fail_after(LIVE_SECONDS):
                while (await office.get(f"/sessions/{left.session_id}"))["state"] != "live":  # noqa: ASYNC110
                    await anyio.sleep(0.2)
        finally:
            await encoder.cut_off()
    finally:
        await office.close()
