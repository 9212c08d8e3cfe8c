"""HEAD wherever GET is: the same status, the same headers, no body. The replay's and the live delivery's
are asked in their own tests, a process on its socket in `tests/lectern/test_api_process.py`."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from litestar.routes import HTTPRoute

from api.app import create_app
from api.head import HeadAsGet
from api.resources import Resources
from domain.kinds import Role
from tests.api.conftest import ORIGIN, Client, People
from tests.house.test_permits import address

pytestmark = pytest.mark.anyio

MOVING = {"date"}
BIG = 3 * 1024 * 1024


@pytest.fixture
def application(resources: Resources, tmp_path: Path) -> HeadAsGet:
    """Over a build of this test's own, with an asset that goes out in pieces."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "index-abc.js").write_bytes(b"/" * BIG)
    (tmp_path / "index.html").write_text("<!doctype html><title>讲台</title>", encoding="utf-8")
    (tmp_path / "favicon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>", encoding="utf-8")
    return cast(HeadAsGet, create_app(resources, tmp_path))


@pytest.fixture
async def browser(application: HeadAsGet) -> AsyncIterator[Client]:
    async with Client(transport=httpx.ASGITransport(cast(Any, application)), base_url=ORIGIN) as client:
        yield client


def told(answer: httpx.Response) -> tuple[int, dict[str, str]]:
    return answer.status_code, {name: value for name, value in answer.headers.items() if name not in MOVING}


async def same(browser: httpx.AsyncClient, path: str) -> httpx.Response:
    """HEAD's answer, which must be GET's without its body; GET's."""
    got, head = await browser.get(path), await browser.head(path)
    assert head.content == b"", path
    assert told(head) == told(got), path
    return got


@pytest.mark.parametrize(
    "path", ["/", "/sessions/7/watch", "/favicon.svg", "/assets/index-abc.js", "/assets/gone.js", "/healthz", "/api/x"]
)
async def test_the_pages_tell_the_same_by_head(browser: Client, path: str) -> None:
    assert (await same(browser, path)).content


async def test_a_range_counts_for_get_alone(browser: Client) -> None:
    whole = await browser.head("/assets/index-abc.js", headers={"Range": "bytes=0-9"})
    assert (whole.status_code, whole.headers["content-length"]) == (200, str(BIG))


async def test_every_route_that_is_got_answers_head_for_who_may_and_who_may_not(
    browser: Client, application: HeadAsGet, people: People
) -> None:
    paths = [
        address(route.path)
        for route in application.routes
        if isinstance(route, HTTPRoute) and "GET" in route.methods and not route.path.startswith("/readyz")
    ]
    assert len(paths) > 20
    for signed_in in (False, True):
        if signed_in:
            await browser.sign_in((await people.with_role(Role.academic_affairs)).login)
        for path in paths:
            got = await same(browser, path)
            assert got.status_code != 405, path
    assert (await browser.get("/api/v1/sessions")).status_code == 200


async def test_what_is_only_posted_is_refused_and_what_is_got_names_head(browser: Client) -> None:
    refused = await same(browser, "/api/v1/sign-ins")
    assert (refused.status_code, "GET" in refused.headers["allow"]) == (405, False)
    for answer in (await browser.post("/api/v1/institute"), await browser.options("/api/v1/institute")):
        assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
