"""deploy/nginx, run by Debian's nginx as it is deployed, before stand-ins for API and ingest and a real object store.

How to test here: ask through `house.viewer`, then read what nginx logged (`front.logged`) or what the stand-ins saw.
They follow the contract that nginx has with the real processes; the journeys run those.
"""

import io
import json
import re
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from minio import Minio

from api.settings import ApiSettings
from retention.settings import RetentionSettings
from storage.embedded import s3
from storage.embedded.ports import free_ports
from tests.house.front import http2, websocket
from tests.house.front.nginx import DEPLOYED, HOST, Addresses, Front
from tests.house.front.upstreams import StandInApi, StandInIngest, on_granian, on_uvicorn

REEL = bytes(range(256)) * 20_000
REEL_KEY = "recordings/0195/source/take/00001.m4s"
SECURITY_HEADERS = ("strict-transport-security", "x-content-type-options", "referrer-policy", "x-frame-options")


@dataclass
class House:
    front: Front
    api: StandInApi
    ingest: StandInIngest
    store: Minio
    viewer: httpx.Client

    def reel(self, key: str = REEL_KEY) -> str:
        """The address inside nginx of a whole object, presigned as the API does."""
        signed = urlsplit(self.store.presigned_get_object(s3.BUCKET, key, expires=timedelta(minutes=5)))
        return f"{key}?{signed.query}"

    def segment(self, first: int, last: int, key: str = REEL_KEY) -> str:
        """Make a range of a reel playable; returns the name that ends its replay address."""
        name = f"{uuid.uuid4()}.m4s"
        self.api.segments[name] = f"/_objects/{first}-{last}/{self.reel(key)}"
        return name

    def put(self, content: bytes) -> str:
        key = f"recordings/{uuid.uuid4()}/source/take/00001.m4s"
        self.store.put_object(s3.BUCKET, key, io.BytesIO(content), len(content))
        return key

    def play(self, name: str, token: str, **headers: str) -> httpx.Response:
        return self.viewer.get(f"/replay/0195/{token}/720p/{name}", headers=headers)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    api, ingest = StandInApi(), StandInIngest()
    with (
        s3.start(tmp_path_factory.mktemp("objects")) as objects,
        on_granian(api) as api_address,
        on_uvicorn(ingest) as ingest_address,
    ):
        store = Minio(objects.endpoint, objects.access_key, objects.secret_key, secure=False, region=s3.REGION)
        store.put_object(s3.BUCKET, REEL_KEY, io.BytesIO(REEL), len(REEL))
        front = Front(tmp_path_factory.mktemp("nginx"), Addresses(api_address, ingest_address, objects.endpoint))
        front.start()
        try:
            with httpx.Client(base_url=front.url, verify=str(front.certificate), timeout=20) as viewer:
                yield House(front, api, ingest, store, viewer)
        finally:
            front.stop()


def a_token() -> str:
    return f"token-{uuid.uuid4().hex}"


# Replay


@pytest.mark.parametrize("length", [1, 9, 10, 11, 100, 101, 1_000, 10_000, 99_999, 100_000, 1_000_000, 4_500_000])
def test_a_range_of_a_reel_is_a_whole_answer(house: House, length: int) -> None:
    """The viewer sent no Range and gets a 200 with just the segment's bytes, whatever its length."""
    first = 1_234
    got = house.play(house.segment(first, first + length - 1), a_token())
    assert got.status_code == 200
    assert got.content == REEL[first : first + length]
    assert got.headers["content-length"] == str(length)
    assert got.headers["content-type"] == "video/mp4"
    assert "content-range" not in got.headers
    assert got.headers.get_list("cache-control") == ["private, max-age=60"]
    assert not [name for name in got.headers if name.startswith("x-amz")]


@pytest.mark.parametrize(
    ("wanted", "status", "said", "part"),
    [
        ("bytes=0-99", 206, "bytes 0-99/5000", slice(0, 100)),
        ("bytes=4000-", 206, "bytes 4000-4999/5000", slice(4_000, 5_000)),
        ("bytes=-10", 206, "bytes 4990-4999/5000", slice(4_990, 5_000)),
        ("bytes=5000-", 416, "bytes */5000", None),
        ("bytes=9000000000-", 416, None, None),
    ],
)
def test_a_range_that_the_viewer_sends_is_within_the_segment(
    house: House, wanted: str, status: int, said: str | None, part: slice | None
) -> None:
    got = house.play(house.segment(10_000, 14_999), a_token(), Range=wanted)
    assert got.status_code == status
    if said:
        assert got.headers["content-range"] == said
    if part:
        assert got.content == REEL[10_000:15_000][part]


def test_the_second_viewer_is_served_from_the_cache(house: House) -> None:
    """Another token, another signature: the object is gone from the store, and the bytes are still there."""
    content = REEL[:300_000]
    key = house.put(content)
    assert house.play(house.segment(1_000, 200_999, key), a_token()).content == content[1_000:201_000]
    house.store.remove_object(s3.BUCKET, key)
    second = house.play(house.segment(1_000, 200_999, key), a_token())
    assert second.status_code == 200
    assert second.content == content[1_000:201_000]
    caches = [entry["cache"] for entry in house.front.logged(2, path=f"/_objects/1000-200999/{key}")]
    assert caches == ["MISS", "HIT"]
    other_range = house.play(house.segment(1_000, 2_000, key), a_token())
    assert other_range.status_code == 502


def test_a_revoked_token_is_refused_while_its_segment_is_cached(house: House) -> None:
    name, token, other = house.segment(50, 5_000), a_token(), a_token()
    assert house.play(name, token).status_code == 200
    house.api.revoked.add(token)
    assert (house.play(name, token).status_code, house.play(name, token).content) == (403, b"revoked")
    assert house.play(name, other).status_code == 200


def test_a_class_that_opens_the_same_replay_asks_the_store_once(house: House) -> None:
    key = house.put(REEL)
    names = [house.segment(0, 2_999_999, key) for _ in range(12)]
    with ThreadPoolExecutor(12) as viewers:
        answers = list(viewers.map(lambda name: house.play(name, a_token()), names))
    assert all(got.status_code == 200 and got.content == REEL[:3_000_000] for got in answers)
    caches = [entry["cache"] for entry in house.front.logged(12, path=f"/_objects/0-2999999/{key}")]
    assert sorted(caches) == ["HIT"] * 11 + ["MISS"]


def test_a_whole_object_is_cached_by_its_name(house: House) -> None:
    key = house.put(b"an initialisation segment")
    house.api.segments["init.mp4"] = f"/_objects/{house.reel(key)}"
    assert house.play("init.mp4", a_token()).content == b"an initialisation segment"
    house.store.remove_object(s3.BUCKET, key)
    assert house.play("init.mp4", a_token()).content == b"an initialisation segment"


def test_head_of_a_segment_leaves_a_cache_that_a_get_can_use(house: House) -> None:
    key = house.put(REEL)
    name = house.segment(7, 7_006, key)
    head = house.viewer.head(f"/replay/0195/{a_token()}/720p/{name}")
    assert (head.status_code, head.headers["content-length"], head.content) == (200, "7000", b"")
    assert house.play(name, a_token()).content == REEL[7:7_007]


def test_the_stores_own_errors_are_not_shown(house: House) -> None:
    """An object that is missing and a signature that is wrong are our faults: 502, and no word of the store's."""
    house.api.segments["missing"] = f"/_objects/0-9/{house.reel('recordings/none.m4s')}"
    house.api.segments["unsigned"] = f"/_objects/{REEL_KEY}"
    for name in ("missing", "unsigned"):
        got = house.play(name, a_token())
        assert got.status_code == 502
        assert b"recordings" not in got.content


@pytest.mark.parametrize(
    "path", [f"/_objects/{REEL_KEY}", f"/_objects/0-9/{REEL_KEY}", "/_live/1/seg-1.m4s?proof=of-ingest-itself"]
)
def test_the_inner_doors_are_shut_from_outside(house: House, path: str) -> None:
    before = list(house.ingest.seen)
    assert house.viewer.get(path).status_code == 404
    assert house.ingest.seen == before


# Live


def test_a_finished_live_segment_is_cached_for_all_and_still_checked(house: House) -> None:
    token, session = a_token(), uuid.uuid4()
    first = house.viewer.get(f"/live/{session}/{token}/seg-7.m4s")
    second = house.viewer.get(f"/live/{session}/{a_token()}/seg-7.m4s")
    assert first.status_code == second.status_code == 200
    assert first.content == second.content == f"{session} seg-7.m4s".encode() * 1000
    assert first.headers.get_list("access-control-allow-origin") == ["*"]
    assert house.ingest.seen.count(f"/_live/{session}/seg-7.m4s") == 1
    house.ingest.revoked.add(token)
    assert house.viewer.get(f"/live/{session}/{token}/seg-7.m4s").status_code == 403


def test_live_playlists_and_parts_are_never_cached(house: House) -> None:
    base = f"/live/{uuid.uuid4()}/{a_token()}"
    for name in ("main.m3u8", "part-7.1.m4s"):
        for _ in range(3):
            assert house.viewer.get(f"{base}/{name}").status_code == 200
        assert house.ingest.seen.count(f"{base}/{name}") == 3


def test_what_a_reviewer_sees_ahead_reaches_ingest_each_time_finished_segments_too(house: House) -> None:
    base = f"/preview/{uuid.uuid4()}/{a_token()}"
    for name in ("main.m3u8", "seg-7.m4s"):
        for _ in range(2):
            assert house.viewer.get(f"{base}/{name}").text == "ahead"
        assert house.ingest.seen.count(f"{base}/{name}") == 2


def test_of_a_live_request_ingest_is_told_what_counts_there(house: House) -> None:
    fields = {"Cookie": "a=b", "User-Agent": "player", "X-Request-ID": "mine", "Accept-Encoding": "br, gzip"}
    house.viewer.get(f"/live/{uuid.uuid4()}/{a_token()}/part-7.1.m4s", headers={**fields, "Range": "bytes=0-3"})
    told = {name: value for name, value in house.ingest.told.items() if name != "host"}
    assert told == {"range": "bytes=0-3", "accept-encoding": "gzip"}


def test_blocking_reloads_of_one_playlist_all_wait_at_ingest(house: House) -> None:
    """With a cache lock only one would arrive and nobody would ever be answered: ingest publishes when all 20 wait."""
    house.ingest.waiting, house.ingest.waiting_wanted = 0, 20
    house.ingest.published.clear()
    address = f"/live/{uuid.uuid4()}/{a_token()}/main.m3u8?_HLS_msn=8&_HLS_part=1"
    with ThreadPoolExecutor(20) as viewers:
        answers = list(viewers.map(lambda _: house.viewer.get(address), range(20)))
    assert [got.status_code for got in answers] == [200] * 20
    assert answers[0].headers["content-encoding"] == "gzip"


def test_whip_passes_with_its_own_limit(house: House) -> None:
    accepted = house.viewer.post("/whip/1", content=b"v=0" * 10_000)
    assert (accepted.status_code, accepted.text) == (201, "30000")
    assert accepted.headers["location"] == "/whip/1/resource-secret"
    assert house.viewer.post("/whip/1", content=b"v" * 200_000).status_code == 413


def test_the_page_of_a_live_session_is_the_apis(house: House) -> None:
    assert house.viewer.get(f"/live/{uuid.uuid4()}").text == "<!doctype html>page"


# The edge


def test_http_2_over_tls(house: House) -> None:
    got = http2.get(HOST, house.front.port, "/", house.front.certificate)
    assert (got.status, got.body) == (200, b"<!doctype html>page")
    assert house.front.logged(1, protocol="HTTP/2.0")[0]["tls"] == "TLSv1.3"
    told = json.loads(http2.get(HOST, house.front.port, "/api/v1/echo", house.front.certificate).body)["headers"]
    assert told["host"] == f"{HOST}:{house.front.port}"
    big = house.segment(0, 2_999_999)
    assert (
        http2.get(HOST, house.front.port, f"/replay/1/t/720p/{big}", house.front.certificate).body == REEL[:3_000_000]
    )


def test_a_websocket_passes(house: House) -> None:
    assert websocket.echo(HOST, house.front.port, "/api/v1/socket", house.front.certificate, "讲台") == "讲台"


def test_only_websockets_are_upgraded(house: House) -> None:
    seen = house.viewer.get("/api/v1/echo", headers={"Upgrade": "h2c", "Connection": "Upgrade"}).json()["headers"]
    assert "upgrade" not in seen
    assert seen.get("connection", "") == ""


def test_upstreams_learn_the_viewers_address_and_cannot_be_lied_to(house: House) -> None:
    forged = {"X-Forwarded-For": "10.9.9.9", "X-Forwarded-Proto": "http", "X-Request-ID": "mine"}
    seen = house.viewer.get("/api/v1/echo", headers=forged).json()["headers"]
    assert seen["x-forwarded-for"] == HOST
    assert seen["x-forwarded-proto"] == "https"
    assert re.fullmatch(r"[0-9a-f]{32}", seen["x-request-id"])
    assert seen["host"] == f"{HOST}:{house.front.port}"


@pytest.mark.parametrize("path", ["/", "/api/v1/echo", "/control/", "/live/1/t/part-1.1.m4s", "/live/1/t/seg-1.m4s"])
def test_every_answer_carries_each_security_header_once(house: House, path: str) -> None:
    got = house.viewer.get(path)
    assert {name: len(got.headers.get_list(name)) for name in SECURITY_HEADERS} == dict.fromkeys(SECURITY_HEADERS, 1)
    assert "nginx/" not in got.headers["server"]


@pytest.mark.parametrize(
    "path", ["/control", "/control/sessions/1/cut", "/metrics", "/healthz", "/readyz", "//metrics", "/%6detrics"]
)
def test_what_is_for_operators_is_not_public(house: House, path: str) -> None:
    before = list(house.ingest.seen)
    assert house.front.status_of(path) == 404
    assert house.ingest.seen == before


def test_bodies_have_limits(house: House) -> None:
    def post(path: str, size: int) -> int:
        return house.viewer.post(path, content=bytes(size)).status_code

    assert post("/api/v1/sessions", 1_000_000) == 200
    assert post("/api/v1/sessions", 1_100_000) == 413
    largest_upload = ApiSettings().upload_max_bytes
    assert post("/api/v1/timetable-imports", largest_upload + 100_000) == 200
    assert post("/api/v1/timetable-imports", largest_upload + 2_000_000) == 413


def test_plain_http_only_points_to_https(house: House) -> None:
    got = httpx.get(f"http://{HOST}:{house.front.plain_port}/courses?page=2")
    assert (got.status_code, got.headers["location"]) == (308, f"https://{HOST}/courses?page=2")


# Logs


def test_no_token_and_no_signature_is_logged(house: House) -> None:
    """Every way that a token can be in an address, spelt every way that reaches the same location."""
    token, session = a_token(), uuid.uuid4()
    paths = [
        f"/live/{session}/{token}/main.m3u8",
        f"/live/{session}/{token}/seg-1.m4s",
        f"//live//{session}/{token}/part-1.1.m4s",
        f"/live/{session}%2F{token}/part-1.1.m4s",
        f"/x/../live/{session}/{token}/part-1.1.m4s?token={token}",
        f"/live/{session}/{token}",
        f"/preview/{session}/{token}/seg-1.m4s",
        f"/replay/{session}/{token}/720p/{house.segment(0, 99)}",
        f"/whep/{session}/{token}",
        f"/whip/{session}/{token}",
        f"/api/v1/echo?code={token}",
    ]
    for path in paths:
        house.front.status_of(path)
        httpx.get(f"http://{HOST}:{house.front.plain_port}{path}")
    house.viewer.post(f"/live/{session}/{token}/part-1.1.m4s", content=bytes(5_000))
    house.viewer.get("/api/v1/echo", headers={"X-Last": "request"})
    house.front.logged(2, path="/api/v1/echo")
    for log in (house.front.access_log, house.front.error_log):
        text = log.read_text(encoding="utf-8")
        assert token not in text
        assert "token-" not in text
        assert "Signature" not in text
        assert "resource-secret" not in text


def test_what_is_logged_tells_an_operator_enough(house: House) -> None:
    session, revoked = uuid.uuid4(), a_token()
    house.ingest.revoked.add(revoked)
    for token in (a_token(), revoked):
        house.viewer.get(f"/live/{session}/{token}/part-3.1.m4s")
    house.viewer.get(f"/live/{session}/{a_token()}/seg-3.m4s")
    house.front.logged(1, path=f"/_live/{session}/seg-3.m4s")
    (entry,) = house.front.logged(1, path=f"/live/{session}/-/part-3.1.m4s")  # that the other had it, no line says
    assert (entry["method"], entry["status"], entry["upstream_status"]) == ("GET", "403", "403")
    assert float(entry["seconds"]) >= 0


@pytest.mark.parametrize("place", ["place", "place-host"])
def test_with_nothing_behind_it_nginx_starts_says_502_and_logs_no_token(tmp_path: Path, place: str) -> None:
    """Also the check of the other place: it starts. nginx's error log writes whole request lines, if it is let."""
    nobody = Addresses(*(f"{HOST}:{port}" for port in free_ports(3)))
    front = Front(tmp_path, nobody, place=place)
    assert "[warn]" not in front.check()
    front.start()
    try:
        with httpx.Client(base_url=front.url, verify=str(front.certificate)) as viewer:
            for path in ("/live/1/token-1/main.m3u8", "/replay/1/token-1/720p/1.m4s", "/whep/1/token-1", "/"):
                assert viewer.get(path).status_code == 502
        front.logged(4, status="502")
    finally:
        front.stop()
    assert "token-1" not in front.error_log.read_text() + front.access_log.read_text()
    assert 'request: "GET / ' in front.error_log.read_text()


@pytest.mark.parametrize("place", ["place", "place-host"])
def test_what_nobody_asks_for_leaves_the_cache_long_before_the_trash_is_emptied(place: str) -> None:
    text = (DEPLOYED / place / "http.conf").read_text(encoding="utf-8")
    (hours,) = re.findall(r"lectern_objects\S*.* inactive=(\d+)h", text)
    assert int(hours) == 1
    assert int(hours) < RetentionSettings().trash_grace_hours / 10
