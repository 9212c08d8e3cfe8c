"""The built pages and what they are allowed to do. `create_app` serves a folder of this test's own."""

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from api.app import create_app
from api.pages import content_security_policy
from api.resources import Resources
from tests.api.conftest import ORIGIN

pytestmark = pytest.mark.anyio

INGEST = "https://live.lectern.test:8443"
POLICY = "content-security-policy"


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "index-abc.js").write_text("export {}", encoding="utf-8")
    (tmp_path / "index.html").write_text("<!doctype html><title>讲台</title>", encoding="utf-8")
    (tmp_path / "favicon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>", encoding="utf-8")
    return tmp_path


@pytest.fixture
async def browser(resources: Resources, built: Path) -> AsyncIterator[httpx.AsyncClient]:
    told = dataclasses.replace(resources, settings=dataclasses.replace(resources.settings, ingest_public_url=INGEST))
    transport = httpx.ASGITransport(cast(Any, create_app(told, built)))
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        yield client


def directives(answer: httpx.Response) -> dict[str, set[str]]:
    """A policy as the browser reads it: name → sources."""
    parts = (part.split() for part in answer.headers[POLICY].split(";"))
    return {name: set(sources) for name, *sources in parts}


@pytest.mark.parametrize("path", ["/", "/schedule", "/sessions/7/watch", "/favicon.svg"])
async def test_every_page_carries_the_policy(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.get(path)
    assert answer.status_code == 200, answer.text
    allowed = directives(answer)
    assert allowed["default-src"] == {"'self'"}
    assert allowed["media-src"] == allowed["connect-src"] == {"'self'", INGEST, "blob:"}
    assert allowed["img-src"] == {"'self'", "data:", "blob:"}
    assert "blob:" in allowed["worker-src"]
    assert allowed["style-src"] == {"'self'", "'unsafe-inline'"}
    assert allowed["frame-ancestors"] == {"'none'"}
    assert answer.headers["x-frame-options"] == "DENY"


async def test_scripts_come_from_our_own_origin_alone(browser: httpx.AsyncClient) -> None:
    allowed = directives(await browser.get("/"))
    scripts = allowed.get("script-src", allowed["default-src"])
    assert scripts == {"'self'"}
    assert allowed["object-src"] == allowed["base-uri"] == {"'none'"}


async def test_the_policy_names_the_origin_of_the_ingest_process_without_its_path(browser: httpx.AsyncClient) -> None:
    """A path in a source would have to match to the letter (CSP level 3, 6.7.2.8), and playlists lie below it."""
    assert content_security_policy(f"{INGEST}/live?x=1") == content_security_policy(INGEST)


async def test_without_a_build_the_page_says_how_to_make_one(resources: Resources, tmp_path: Path) -> None:
    transport = httpx.ASGITransport(cast(Any, create_app(resources, tmp_path / "nothing")))
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        answer = await client.get("/")
    assert (answer.status_code, "make web" in answer.text) == (503, True)
    assert POLICY in answer.headers


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/replay/x", "/live/x", "/assets/gone.js", "/schema/x"])
async def test_what_is_no_page_is_not_found(browser: httpx.AsyncClient, path: str) -> None:
    assert (await browser.get(path)).status_code == 404


async def test_hashed_assets_are_served(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/assets/index-abc.js")
    assert (answer.status_code, answer.text) == (200, "export {}")


async def test_hashed_assets_are_kept_for_good_and_what_names_them_is_not(browser: httpx.AsyncClient) -> None:
    kept = (await browser.get("/assets/index-abc.js")).headers["cache-control"]
    assert {one.strip() for one in kept.split(",")} == {"public", "max-age=31536000", "immutable"}
    for page in ("/", "/index.html", "/sessions/7/watch"):
        assert (await browser.get(page)).headers["cache-control"] == "no-cache", page


async def test_an_asset_that_is_not_there_yet_is_not_missed_for_good(browser: httpx.AsyncClient) -> None:
    """While a new build is rolled out one process names what another has not got yet."""
    gone = await browser.get("/assets/index-new.js")
    assert (gone.status_code, "immutable" in gone.headers.get("cache-control", "")) == (404, False)


@pytest.mark.parametrize(
    "path", ["/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/assets/..%2f..%2fsecret.txt"]
)
async def test_nothing_beside_the_build_is_served(browser: httpx.AsyncClient, built: Path, path: str) -> None:
    (built.parent / "secret.txt").write_text("hush", encoding="utf-8")
    assert "hush" not in (await browser.get(path)).text
