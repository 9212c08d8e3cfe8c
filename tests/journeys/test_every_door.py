"""Every role through every door it is shown: nothing behind one is refused, unsaid, or wider than the window."""

import re

import pytest
from playwright.sync_api import ViewportSize, expect

from lectern.seed import ACCOUNTS
from tests.journeys.conftest import AsPerson
from tests.journeys.person import Person

pytestmark = pytest.mark.browser

# A key that no locale has shows as itself: two or more words joined by dots.
UNSAID = re.compile(r"\b[a-z_]+(?:\.[a-z_]+)+\b")
NARROW: ViewportSize = {"width": 390, "height": 844}


@pytest.mark.parametrize("login", [one.login for one in ACCOUNTS])
def test_every_door_of_a_role_opens(as_person: AsPerson, login: str) -> None:
    person = as_person(login)
    doors = [one.get_attribute("data-test") or "" for one in person.page.locator("nav a").all()]
    assert "nav-home" in doors
    for door in doors:
        person.press(door)
        look(person, door)
    person.press("language-en")
    person.page.set_viewport_size(NARROW)
    for door in doors:
        person.press(door)
        look(person, door)


@pytest.mark.parametrize("login", ["sysadmin", "secadmin", "auditor"])
def test_an_administrator_who_types_an_address_is_told_and_asks_for_nothing(as_person: AsPerson, login: str) -> None:
    person = as_person(login)
    for path in ("/schedule", "/recordings", "/courses", "/timetables/import"):
        person.page.goto(path)
        expect(person.at("no-entry")).to_contain_text("此页面不对您开放")


def look(person: Person, door: str) -> None:
    """The page has its heading, complains of nothing, says everything in words and fits its window."""
    expect(
        person.page.get_by_role("heading", level=1).or_(person.page.get_by_role("heading", level=2)).first
    ).to_be_visible()
    person.page.wait_for_load_state("networkidle")
    expect(person.at("problem")).to_have_count(0)
    said = person.page.locator("body").inner_text()
    assert UNSAID.findall(said) == [], door
    width, window = person.page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width <= window, door
