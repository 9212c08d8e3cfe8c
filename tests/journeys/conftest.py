"""What journeys stand on: one real house for all of them, a browser a file, and people who sign in to their pages."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from playwright.sync_api import Browser, expect, sync_playwright

from tests.journeys.classroom import Classroom
from tests.journeys.person import Person
from tests.kit import house as kit
from tests.kit.house import House

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
PATIENCE_MS = 20_000

AsPerson = Callable[[str], Person]


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    """A whole Lectern, seeded, with reels and stills short enough to wait for."""
    with kit.house({"INGEST_REEL_SECONDS": "4", "TRANSCODE_STILL_INTERVAL_SECONDS": "4"}) as started:
        yield started


@pytest.fixture(scope="session")
def portal() -> Iterator[BlockingPortal]:
    """The loop that encoders run in, in a thread of its own: this thread's is Playwright's."""
    with start_blocking_portal() as opened:
        yield opened


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium. Not longer than a file, since no other test could use this thread's loop meanwhile."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        playwright.selectors.set_test_id_attribute("data-test")
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS])
        yield started
        started.close()


@pytest.fixture
def visitor(browser: Browser, house: House) -> Iterator[AsPerson]:
    """Somebody with a login at a fresh browser, not signed in yet. What their page complains of fails the test."""
    people: list[Person] = []

    def arrive(login: str) -> Person:
        context = browser.new_context(
            base_url=house.origin, locale="zh-CN", timezone_id="Asia/Shanghai", viewport={"width": 1280, "height": 800}
        )
        context.set_default_timeout(PATIENCE_MS)
        people.append(Person.arrive(context, login))
        return people[-1]

    yield arrive
    for one in people:
        one.page.context.close()
    assert [f"{one.login}: {complaint}" for one in people for complaint in one.unexpected()] == []


@pytest.fixture
def as_person(visitor: AsPerson, house: House) -> AsPerson:
    """A page that is signed in."""

    def signed_in(login: str) -> Person:
        one = visitor(login)
        one.sign_in(house.passwords[login])
        return one

    return signed_in


@pytest.fixture
def classroom(house: House, portal: BlockingPortal) -> Iterator[Classroom]:
    """The room with its encoders; each is cut off when the test ends."""
    room = Classroom(house, portal)
    yield room
    room.clear()
