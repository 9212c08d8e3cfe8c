"""The OpenAPI document is what the API does: valid, whole, and held against answers to generated requests.

How to test here: the operations come from the document of an application without stores; each is then asked, signed in
as academic affairs, about rows that exist and rows that do not. The requests are the same each time (derandomized).
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

import anyio.from_thread
import httpx
import pytest
import redis
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator
from redis.asyncio import Redis
from schemathesis import GenerationMode
from schemathesis import checks as every_check
from schemathesis.specs.openapi import checks as openapi_checks
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from api.app import create_app
from api.document import CREATING, ETAGGED, MAY_ANSWER, VERSIONED, complete
from api.resources import ApiKeys, Resources
from api.settings import ApiSettings
from domain.kinds import Audience, Role
from storage.catalogue import courses
from storage.catalogue.transaction import Catalogue
from storage.embedded import postgres as embedded_postgres
from storage.embedded import valkey as embedded_valkey
from storage.objects.store import ObjectStore
from tests.api.conftest import ORIGIN, Client, Clock, People
from tests.conftest import drop_database, make_database
from tests.storage.catalogue import builders

EXAMPLES = 5
KEYS = ApiKeys(playback=b"p" * 32, ingest=b"i" * 32, control=b"c" * 32, csrf=b"f" * 32)
OPERATIONS = {
    "sign_ins": {"begin", "current", "end"},
    "sessions": {
        "listing", "one", "change", "reviewers", "name_reviewer", "ingest", "renewal", "live", "cut", "resume", "kick",
        "end", "watch", "watching", "remove_viewer", "readmit_viewer",
    },
    "recordings": {
        "listing", "one", "change", "poster", "stills", "still", "work", "report", "retry", "replay", "hold", "lift",
        "purge", "rescue", "certificate", "every_certificate",
    },
    "evidence": {"every", "listing", "play"},
    "courses": {
        "listing", "one", "promote", "change", "submission", "review", "filing", "publication", "play", "poster",
    },
    "institute": {"overview", "capacities", "set_capacity"},
    "nodes": {"listing"},
    "timetables": {"listing", "take"},
    "accounts": {"listing", "one", "create", "set_password", "disable", "enable", "grant", "revoke"},
    "audit": {"listing", "chain"},
}  # fmt: skip
"""Operation ids are an interface: clients are generated from them. A new one is added here, none is renamed."""


def document() -> dict[str, Any]:
    """The document of an application that has no stores: it is made of the handlers alone."""
    nothing = cast(Any, None)
    app = create_app(Resources(ApiSettings(), nothing, nothing, nothing, nothing, KEYS, nothing))
    return complete(app.openapi_schema.to_schema(), app.routes)


DOCUMENT = document()
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(path, method, operation) of each operation."""
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def test_it_is_valid_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    assert [error.message for error in OPENAPI_31_VALIDATOR.iter_errors(DOCUMENT)] == []
    for name, schema in DOCUMENT["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema), name


def test_operation_ids_are_stable() -> None:
    told = [operation["operationId"] for _, _, operation in operations()]
    assert len(told) == len(set(told))
    assert set(told) == {f"{resource}_{name}" for resource, names in OPERATIONS.items() for name in names}
    assert VERSIONED | CREATING | ETAGGED | MAY_ANSWER.keys() <= set(told)


def test_every_error_is_a_problem_and_every_route_tells_its_own() -> None:
    for path, method, operation in operations():
        where = f"{method} {path}"
        told = operation["responses"]
        errors = {status: answer for status, answer in told.items() if int(status) >= 400}
        for status, answer in errors.items():
            problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
            assert answer["content"] == {"application/problem+json": problem}, f"{where} {status}"
        assert {"500", "503"} <= errors.keys(), where
        assert ("404" in errors) or "{" not in path, where
        assert ("413" in errors) == ("415" in errors) == ("requestBody" in operation), where
        assert ("412" in errors) == ("428" in errors) == (method in ("patch", "put")), where
        if operation["security"]:
            assert "401" in errors, where


def test_security_is_the_cookie_and_the_csrf_token_of_changes() -> None:
    schemes = DOCUMENT["components"]["securitySchemes"]
    assert (schemes["signIn"]["in"], schemes["signIn"]["name"]) == ("cookie", "__Host-lectern-sign-in")
    assert (schemes["csrf"]["in"], schemes["csrf"]["name"]) == ("header", "X-CSRF-Token")
    for path, method, operation in operations():
        needed = [] if path == "/api/v1/sign-ins" else ["signIn"] if method == "get" else ["signIn", "csrf"]
        assert [list(one) for one in operation["security"]] == ([needed] if needed else []), path


def test_every_field_and_query_has_its_type() -> None:
    """An empty schema says nothing; only what an audit entry's act left (`details`) is open."""
    for path, _, operation in operations():
        for parameter in operation.get("parameters", []):
            assert parameter["schema"], f"{path} {parameter['name']}"
        assert operation["description"], path
    untyped = [
        f"{name}.{field}"
        for name, schema in DOCUMENT["components"]["schemas"].items()
        for field, told in schema.get("properties", {}).items()
        if not told.keys() & {"type", "$ref", "oneOf", "enum", "const"}
    ]
    assert untyped == []


def test_bodies_refuse_what_is_not_documented() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    for path, method, operation in operations():
        for media_type, told in operation.get("requestBody", {}).get("content", {}).items():
            name = told["schema"]["$ref"].rsplit("/", 1)[1]
            if media_type == "application/json":
                assert schemas[name]["additionalProperties"] is False, f"{method} {path}: {name}"


class House:
    """The whole application in one event loop of its own, a person signed in, and one of each thing to ask about."""

    def __init__(self, portal: Any, url: str, valkey_url: str, objects: ObjectStore) -> None:
        self.portal = portal
        portal.call(self._open, url, valkey_url, objects)

    async def _open(self, url: str, valkey_url: str, objects: ObjectStore) -> None:
        clock, catalogue = Clock(datetime(2026, 9, 14, 0, 30, tzinfo=UTC)), Catalogue(url, application_name="test")
        self.resources = Resources(
            ApiSettings(public_url=ORIGIN, sign_in_attempts_per_minute=10_000), catalogue, objects,
            Redis.from_url(valkey_url), httpx.AsyncClient(), KEYS, clock,
        )  # fmt: skip
        people = People(catalogue, clock)
        self.account = await people.with_role(Role.academic_affairs)
        async with catalogue.transaction() as tx:
            place = await builders.place(tx, f"s{uuid4().hex[:8]}")
            recording = await builders.stored_recording(tx, place, clock.now)
            kept = await builders.stored_recording(tx, place, clock.now.replace(month=3))
            course = await courses.promote(
                tx, kept.id, title="精品", summary="", audience=Audience.open, provider_id=self.account.id,
                now=clock.now,
            )  # fmt: skip
        self.there = {
            "session_id": str(recording.session_id), "recording_id": str(recording.id), "course_id": str(course.id),
            "account_id": str(place.learner_id),
        }  # fmt: skip
        app = cast(Any, create_app(self.resources))
        self.client = Client(transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url=ORIGIN)
        await self.client.sign_in(self.account.login)

    def send(self, case: Any, stranger: bool) -> httpx.Response:
        """The case's request as it is, with the cookie and the CSRF token of the sign-in."""
        told = case.as_transport_kwargs(base_url=ORIGIN)
        told = {
            name: told[name] for name in ("method", "url", "params", "json", "data", "files", "headers") if name in told
        }
        prepared = requests.Request(**told).prepare()
        headers = {name: value for name, value in (prepared.headers or {}).items() if name.lower() != "cookie"}
        if stranger:
            return cast(httpx.Response, self.portal.call(self._send, None, prepared, headers))
        headers["X-CSRF-Token"] = self.client.headers["X-CSRF-Token"]
        return cast(httpx.Response, self.portal.call(self._send, self.client, prepared, headers))

    async def _send(self, client: Client | None, prepared: Any, headers: dict[str, str]) -> httpx.Response:
        if client is not None:
            return await client.request(prepared.method, prepared.url, content=prepared.body, headers=headers)
        app = cast(Any, create_app(self.resources))
        async with Client(transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url=ORIGIN) as other:
            return await other.request(prepared.method, prepared.url, content=prepared.body, headers=headers)

    async def close(self) -> None:
        """Gives every connection back."""
        await self.client.aclose()
        await self.resources.http.aclose()
        await self.resources.valkey.aclose()
        await self.resources.catalogue.close()


@pytest.fixture(scope="module")
def house(
    postgres: embedded_postgres.Running, database_template: str, valkey: embedded_valkey.Running,
    object_store: ObjectStore,
) -> Iterator[House]:  # fmt: skip
    name = f"test_{uuid4().hex}"
    urls = make_database(postgres, name, database_template)
    with redis.Redis.from_url(valkey.url) as connection:
        connection.flushall()
    with anyio.from_thread.start_blocking_portal("asyncio") as portal:
        made = House(portal, urls.app, valkey.url, object_store)
        yield made
        portal.call(made.close)
    drop_database(postgres, name)


CHECKS = [
    every_check.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.response_headers_conformance,
]
LIVES_ON = {"sign_ins_end"}
"""Would end the sign-in that all others use."""


@pytest.mark.parametrize("name", sorted({one["operationId"] for _, _, one in operations()} - LIVES_ON))
def test_no_answer_is_a_fault_or_is_undocumented(house: House, name: str) -> None:
    operation = SCHEMA.find_operation_by_id(name)

    @settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(case=operation.as_strategy(GenerationMode.POSITIVE) | operation.as_strategy(GenerationMode.NEGATIVE))
    def ask(case: Any) -> None:
        stranger = name == "sign_ins_begin"
        answer = house.send(case, stranger)
        case.validate_response(answer, checks=CHECKS)
        if there := {key: house.there[key] for key in case.path_parameters or {} if key in house.there}:
            case.path_parameters = {**case.path_parameters, **there}
            case.validate_response(house.send(case, stranger), checks=CHECKS)

    ask()
