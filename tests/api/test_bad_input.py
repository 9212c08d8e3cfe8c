"""Whatever is sent is answered by problem details, never by a fault of ours, and changes nothing."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from api.settings import ApiSettings
from domain.kinds import Role
from storage.catalogue.tables.recording import Recording
from storage.catalogue.transaction import Catalogue
from tests.api.conftest import Client, Clock, People, School
from tests.storage.catalogue import builders

pytestmark = pytest.mark.anyio

NUL = "课\x00堂"
HUGE = "9" * 5000
JSON = {"Content-Type": "application/json"}
FORM = "multipart/form-data; boundary=edge"


@pytest.fixture
async def recording(catalogue: Catalogue, school: School, clock: Clock) -> Recording:
    async with catalogue.transaction() as tx:
        return await builders.stored_recording(tx, school.place, clock.now)


@pytest.fixture
async def academic(client: Client, school: School) -> Client:
    """Signed in as academic affairs."""
    await client.sign_in(school.academic.login)
    return client


def told(answer: Any) -> tuple[int, str]:
    """Status and code of a problem, which every error must be."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert {"type", "title", "detail"} <= problem.keys()
    return answer.status_code, problem.get("code", "")


async def test_a_nul_is_refused_in_every_text_that_is_sent(
    academic: Client, school: School, recording: Recording, people: People
) -> None:
    at, session = f"/api/v1/recordings/{recording.id}", f"/api/v1/sessions/{recording.session_id}"
    version = {"If-Match": '"1"'}
    bodies: list[tuple[str, str, dict[str, Any]]] = [
        ("PATCH", at, {"title": NUL}),
        ("PATCH", session, {"room": NUL}),
        ("POST", f"{session}/end", {"reason": NUL}),
        ("POST", f"{at}/holds", {"reason": NUL}),
        ("POST", f"{at}/purge", {"reason": "over", "confirm_title": NUL}),
        ("POST", f"{at}/promotion", {"title": "t", "audience": "open", "summary": NUL}),
        ("PATCH", f"/api/v1/courses/{uuid4()}", {"chapters": [{"at_ms": 0, "title": NUL}]}),
        ("PATCH", f"/api/v1/courses/{uuid4()}", {"questions": [{"prompt": "?", "choices": ["a", NUL], "answer": 0}]}),
        ("POST", f"/api/v1/courses/{uuid4()}/review", {"decision": "return", "note": NUL}),
    ]
    for method, path, body in bodies:
        assert told(await academic.request(method, path, json=body, headers=version)) == (400, "invalid_input"), path
    await academic.sign_in((await people.with_role(Role.system_administrator)).login)
    for body in ({"login": NUL, "display_name": "n"}, {"login": "name", "display_name": NUL}):
        assert told(await academic.post("/api/v1/accounts", json=body)) == (400, "invalid_input")


async def test_a_nul_is_refused_where_strangers_sign_in(client: Client) -> None:
    for body in ({"login": NUL, "password": "p"}, {"login": "l", "password": NUL}):
        assert told(await client.post("/api/v1/sign-ins", json=body)) == (400, "invalid_input")


@pytest.mark.parametrize(
    "query",
    [
        "/recordings?q=%00", "/recordings?cursor=%00", "/recordings?limit=0", "/recordings?limit=-1",
        "/recordings?limit=x", "/recordings?state=none", "/recordings?cursor=garbage", "/recordings?cursor=AAAA",
        "/recordings?cursor=%F0%9F%8E%93", "/recordings?q=" + "q" * 201, "/courses?cursor=" + "_" * 31,
        "/certificates?cursor=//////////////////////////////////////////8=", "/sessions?cursor=8__________w==",
        "/sessions?from=yesterday", "/sessions?from=0001-01-01T00:00:00%2B14:00", "/sessions?mine=perhaps",
        "/sessions?to=9999-12-31T23:59:59-14:00", "/sessions?from=2026-09-14T00:00:00",
        "/accounts?q=%00", "/accounts?cursor=x",
    ],
)  # fmt: skip
async def test_a_query_that_says_nothing_is_refused(academic: Client, query: str) -> None:
    assert told(await academic.get(f"/api/v1{query}")) == (400, "invalid_input")


@pytest.mark.parametrize(
    "query", ["item_kind=%00", "item_id=%00", "action=%00", "cursor=" + HUGE, "cursor=-1", "actor_id=1"]
)
async def test_the_audits_queries_too(client: Client, people: People, query: str) -> None:
    await client.sign_in((await people.with_role(Role.auditor)).login)
    assert told(await client.get(f"/api/v1/audit-entries?{query}")) == (400, "invalid_input")


async def test_a_page_is_as_large_as_the_largest_however_many_are_asked_for(academic: Client) -> None:
    for limit in ("201", str(2**63), "9" * 30):
        assert (await academic.get(f"/api/v1/recordings?limit={limit}")).status_code == 200


async def test_invalid_utf8_is_refused_or_read_as_no_such_thing(academic: Client, recording: Recording) -> None:
    at = f"/api/v1/recordings/{recording.id}"
    assert told(await academic.post(f"{at}/holds", content=b'{"reason": "\xff\xfe"}', headers=JSON))[0] == 400
    assert told(await academic.post(f"{at}/holds", content=b'{"reason": "\\ud800"}', headers=JSON))[0] == 400
    assert (await academic.get("/api/v1/recordings?q=%ff%fe")).status_code in (200, 400)
    assert told(await academic.get("/api/v1/recordings/%ff"))[0] == 404


async def test_numbers_that_no_column_holds_are_refused(academic: Client, recording: Recording) -> None:
    course = f"/api/v1/courses/{uuid4()}"
    for at_ms in (-1, 2**31, 10**40, 1.5):
        body = {"chapters": [{"at_ms": at_ms, "title": "t"}]}
        assert told(await academic.patch(course, json=body, headers={"If-Match": '"1"'})) == (400, "invalid_input")
    for part in (str(2**63), HUGE, "-1", "x"):
        assert told(await academic.get(f"/api/v1/recordings/{recording.id}/stills/{part}"))[0] in (400, 404), part


@pytest.mark.parametrize("sent", ["1", '"x"', "*", '"1", "2"', '"99999999999999999999"', ""])
async def test_an_if_match_that_names_no_version_is_refused(academic: Client, recording: Recording, sent: str) -> None:
    answer = await academic.patch(f"/api/v1/recordings/{recording.id}", json={"title": "t"}, headers={"If-Match": sent})
    assert told(answer) == (400, "invalid_input")


async def test_a_key_of_creation_has_its_length(academic: Client, recording: Recording) -> None:
    for key in ("", "k" * 201):
        answer = await academic.post(
            f"/api/v1/recordings/{recording.id}/holds", json={"reason": "r"}, headers={"Idempotency-Key": key}
        )
        assert told(answer) == (400, "invalid_input")


@pytest.mark.parametrize("sent", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "json"])
async def test_a_body_that_says_it_is_no_json_is_not_read(academic: Client, recording: Recording, sent: str) -> None:
    path = f"/api/v1/recordings/{recording.id}/holds"
    answer = await academic.post(path, content=b'{"reason": "r"}', headers={"Content-Type": sent})
    assert told(answer) == (415, "")
    assert (await academic.get(f"/api/v1/recordings/{recording.id}")).json()["holds"] == []
    kinder = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert (await academic.post(path, content=b'{"reason": "r"}', headers=kinder)).status_code == 201


async def test_a_wrong_method_is_told_the_right_ones(academic: Client, recording: Recording) -> None:
    for method, path, allowed in (
        ("PUT", f"/api/v1/recordings/{recording.id}", {"GET", "HEAD", "PATCH", "OPTIONS"}),
        ("DELETE", "/api/v1/sessions", {"GET", "HEAD", "OPTIONS"}),
        ("GET", "/api/v1/sign-ins", {"POST", "OPTIONS"}),
        ("PATCH", f"/api/v1/sessions/{recording.session_id}/cut", {"POST", "OPTIONS"}),
        ("TRACE", "/api/v1/institute", {"GET", "HEAD", "OPTIONS"}),
    ):
        answer = await academic.request(method, path)
        assert told(answer)[0] == 405, path
        assert {one.strip() for one in answer.headers["allow"].split(",")} == allowed, path


async def test_a_body_larger_than_the_limit_is_not_read(academic: Client) -> None:
    too_large = b"x" * (ApiSettings().upload_max_bytes + 1)

    async def in_pieces() -> AsyncIterator[bytes]:
        for begin in range(0, len(too_large), 1 << 20):
            yield too_large[begin : begin + (1 << 20)]

    for content in (too_large, in_pieces()):
        answer = await academic.post("/api/v1/timetable-imports", content=content, headers={"Content-Type": FORM})
        assert told(answer) == (413, "too_large")


PART = b'--edge\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
FILE = PART % (b"file", b'; filename="t.csv"', b"a,b")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nothing",
        b"--edge",
        b"--edge\r\n\r\n\r\n--edge--",
        FILE,
        FILE + b"--edge--",
        FILE + PART % (b"timetable", b"", b"a\x00b") + b"--edge--",
        FILE + PART % (b"timetable", b"", b"\xff\xfe") + b"--edge--",
        PART % (b"file", b"", b"no file") + PART % (b"timetable", b"", b"t") + b"--edge--",
        PART % (b"timetable", b"", b"t") * 2000 + b"--edge--",
        b"--edge\r\n" + b"X: " + b"y" * 100_000 + b"\r\n\r\n",
    ],
    ids=["empty", "prose", "half", "nameless", "cut", "one part", "nul", "utf8", "no file", "many", "long header"],
)
async def test_a_malformed_form_is_a_problem(academic: Client, body: bytes) -> None:
    answer = await academic.post("/api/v1/timetable-imports", content=body, headers={"Content-Type": FORM})
    assert told(answer)[0] in (400, 404)
    without = await academic.post(
        "/api/v1/timetable-imports", content=body, headers={"Content-Type": "multipart/form-data"}
    )
    assert told(without)[0] == 400


async def test_headers_that_are_no_ascii_are_refused(academic: Client, recording: Recording) -> None:
    path = f"/api/v1/recordings/{recording.id}/holds"
    strange = {b"X-CSRF-Token": "令牌".encode()}
    assert told(await academic.post(path, json={"reason": "r"}, headers=strange)) == (403, "csrf_failed")
    odd = {b"Idempotency-Key": b"\xe9\xff"}
    assert (await academic.post(path, json={"reason": "r"}, headers=odd)).status_code == 201


async def test_an_order_with_a_slash_behind_it_is_the_same_order(
    client: Client, school: School, catalogue: Catalogue, clock: Clock
) -> None:
    async with catalogue.transaction() as tx:
        session = await builders.session(tx, school.place, clock.now)
        await builders.take(tx, session, clock.now)
    await client.sign_in(school.teacher.login)
    answer = await client.post(f"/api/v1/sessions/{session.id}/cut/", json={"reason": "r"})
    assert answer.json()["state"] == "cut"


async def test_a_field_that_is_not_documented_is_refused(academic: Client, recording: Recording) -> None:
    at = f"/api/v1/recordings/{recording.id}"
    for path, body in (
        (f"{at}/holds", {"reason": "r", "placed_by": str(uuid4())}),
        (f"{at}/promotion", {"title": "t", "audience": "open", "state": "published"}),
        (f"{at}/purge", {"reason": "r", "confirm_title": "t", "force": True}),
        (f"/api/v1/sessions/{recording.session_id}/end", {"reason": "r", "state": "draft"}),
        (f"/api/v1/courses/{uuid4()}/review", {"decision": "approve", "reviewed_by": str(uuid4())}),
        ("/api/v1/sign-ins", {"login": "l", "password": "p", "account_id": str(uuid4())}),
    ):
        assert told(await academic.post(path, json=body)) == (400, "invalid_input"), path
