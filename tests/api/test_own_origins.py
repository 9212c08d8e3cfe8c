"""On one's own machine both spellings of it are Lectern's own; nothing else is."""

from dataclasses import replace

import pytest

from api.own_origins import own_origins
from api.resources import Resources
from storage.catalogue.transaction import Catalogue
from tests.api.conftest import PASSWORD, Clock, School, client_of
from tests.storage.catalogue import builders

pytestmark = pytest.mark.anyio

HERE, TWIN = "http://127.0.0.1:8080", "http://localhost:8080"


def test_only_a_loopback_address_has_two_spellings_and_scheme_and_port_stay() -> None:
    assert own_origins(HERE) == (HERE, TWIN)
    assert own_origins(TWIN) == (TWIN, HERE)
    assert own_origins("https://localhost") == ("https://localhost", "https://127.0.0.1")
    for other in (
        "https://lectern.test", "http://10.0.0.1:8080", "http://localhost.evil.test", "http://127.0.0.1.evil.test:8080",
        "http://127.0.0.10:8080",
    ):  # fmt: skip
        assert own_origins(other) == (other,)


@pytest.mark.parametrize("public_url", [HERE, TWIN])
async def test_who_typed_the_other_spelling_signs_in_and_replays_from_there(
    resources: Resources, school: School, catalogue: Catalogue, clock: Clock, public_url: str
) -> None:
    """The replay's address is at the page's own origin: the page's policy lets its player fetch from no other."""
    async with catalogue.transaction() as tx:
        recording = await builders.stored_recording(tx, school.place, clock.now)
    here = replace(resources, settings=replace(resources.settings, public_url=public_url))
    body = {"login": school.teacher.login, "password": PASSWORD}
    for origin in (HERE, TWIN, None):
        async with client_of(here) as browser:
            browser.headers.update({"Origin": origin} if origin else {})
            answer = await browser.post("/api/v1/sign-ins", json=body)
            assert answer.status_code == 201, f"{origin}: {answer.text}"
            browser.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
            playing = await browser.post(f"/api/v1/recordings/{recording.id}/playback")
            assert playing.json()["url"].startswith(f"{origin or public_url}/replay/"), playing.text


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost:8081", "http://localhost", "https://localhost:8080", "http://localhost:8080.evil.test",
        "http://[::1]:8080", "http://127.0.0.2:8080", "http://LOCALHOST:8080/", "http://lectern.localhost:8080", "null",
    ],
)  # fmt: skip
async def test_nothing_else_is_let_in(resources: Resources, school: School, origin: str) -> None:
    here = replace(resources, settings=replace(resources.settings, public_url=HERE))
    body = {"login": school.teacher.login, "password": PASSWORD}
    async with client_of(here) as browser:
        refused = await browser.post("/api/v1/sign-ins", json=body, headers={"Origin": origin})
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf_failed")
