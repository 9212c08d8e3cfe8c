"""The HTTP side of WHIP (RFC 9725): statuses, headers, limits, and what the sink is told of what never began."""

import asyncio

import httpx
import pytest

from domain.refusals import Refusal, RefusalCode
from tests.ingest.whip.offers import PASSWORD, UFRAG, offer
from tests.ingest.whip.serving import KEY, Whip, serving

pytestmark = pytest.mark.anyio
AUTHORIZED = {"authorization": f"Bearer {KEY}"}
FRAGMENT = {"content-type": "application/trickle-ice-sdpfrag"}


def problem(reply: httpx.Response) -> tuple[int, str]:
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["access-control-allow-origin"] == "*"
    body = reply.json()
    assert body["status"] == reply.status_code
    assert body["type"] == f"urn:lectern:problem:{body['code']}"
    return reply.status_code, body["code"]


async def resource(whip: Whip) -> tuple[str, str]:
    """A publish's address and entity tag."""
    reply = await whip.post(offer(), **{"user-agent": "a browser"})
    assert reply.status_code == 201
    return whip.base + reply.headers["location"], reply.headers["etag"]


def fragment(ufrag: str = UFRAG, *candidates: str) -> str:
    lines = [f"a=ice-ufrag:{ufrag}", f"a=ice-pwd:{PASSWORD}", "m=audio 9 RTP/AVP 0", "a=mid:0"]
    return "\r\n".join([*lines, *(f"a=candidate:{one}" for one in candidates), ""])


async def test_an_offer_is_answered(whip: Whip) -> None:
    reply = await whip.post(offer(), **{"user-agent": "a browser"})
    assert reply.status_code == 201
    assert reply.headers["content-type"] == "application/sdp"
    assert reply.headers["location"].startswith(f"/whip/{whip.session_id}/")
    assert reply.headers["etag"].startswith('"')
    assert {"location", "etag"} <= set(reply.headers["access-control-expose-headers"].split(", "))
    assert "a=candidate:" in reply.text
    assert "typ host" in reply.text
    (wish,) = whip.recorder.wishes
    assert (wish.session_id, wish.publish.protocol, wish.publish.encoder) == (whip.session_id, "whip", "a browser")
    assert wish.publish.address == "127.0.0.1"
    assert KEY not in repr(wish)


async def test_who_has_no_key(whip: Whip) -> None:
    for header in ("", "Basic eDp5", "Bearer", "Bearer another-key"):
        reply = await whip.post(offer(), authorization=header)
        assert problem(reply) == (401, "unknown_key")
        assert reply.headers["www-authenticate"].startswith("Bearer")
    assert whip.recorder.takes == []


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (RefusalCode.key_expired, 401),
        (RefusalCode.key_revoked, 401),
        (RefusalCode.outside_window, 409),
        (RefusalCode.session_over, 409),
        (RefusalCode.filing_missing, 409),
        (RefusalCode.node_full, 503),
        (RefusalCode.department_full, 503),
        (RefusalCode.disk_full, 507),
        (RefusalCode.catalogue_away, 503),
    ],
)
async def test_refusals(whip: Whip, code: RefusalCode, status: int) -> None:
    whip.recorder.refusal = Refusal(code, opens_at="2026-01-01T00:00:00Z")
    reply = await whip.post(offer())
    assert problem(reply) == (status, code.value)
    assert reply.json()["facts"] == {"opens_at": "2026-01-01T00:00:00Z"}
    assert ("retry-after" in reply.headers) == (status == 503)


async def test_a_fault_of_ours_tells_nothing(whip: Whip) -> None:
    whip.recorder.refusal = RuntimeError("a secret of ours")
    reply = await whip.post(offer())
    assert problem(reply) == (503, "fault")
    assert "secret" not in reply.text


async def test_an_admission_that_takes_too_long() -> None:
    async with serving(admission_seconds=0.1) as whip:
        whip.recorder.gate = asyncio.Event()
        assert problem(await whip.post(offer())) == (503, "busy")


async def test_codecs_that_are_not_ours_are_told_to_both_sides(whip: Whip) -> None:
    reply = await whip.post(offer(("opus/48000/2", "PCMU/8000")))
    assert problem(reply) == (422, "unsupported_codec")
    assert reply.json()["facts"] == {"codec": "pcmu"}
    (take,) = whip.recorder.takes
    assert take.unsupported_seen == [("pcmu", "The sound must be Opus.")]
    assert take.ends == ["unsupported"]


async def test_offers_that_cannot_be_taken(whip: Whip) -> None:
    assert problem(await whip.post("hello")) == (400, "invalid_input")
    assert problem(await whip.post(b"v=0\xff")) == (400, "invalid_input")
    assert problem(await whip.post(offer(), **{"content-type": "application/json"})) == (415, "unsupported_media_type")
    assert problem(await whip.post("v=0\r\n" + "a" * 140_000)) == (413, "too_large")
    assert whip.recorder.takes == []
    assert problem(await whip.post(offer(("a=rtcp-mux\n", "")))) == (422, "invalid_input")
    assert whip.recorder.takes[0].ends == ["broke_rules"]


async def test_a_body_that_never_ends() -> None:
    async with serving(body_seconds=0.1) as whip:
        port = int(whip.base.rsplit(":", 1)[1])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = f"POST /whip/{whip.session_id} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"
        writer.write(f"{head}Content-Type: application/sdp\r\nContent-Length: 100\r\n\r\nv=0".encode())
        status = await asyncio.wait_for(reader.readline(), 10)
        writer.close()
        assert b" 503 " in status


async def test_preflight_and_methods_kept_for_later(whip: Whip) -> None:
    reply = await whip.client.options(whip.url)
    assert reply.status_code == 204
    assert reply.headers["accept-post"] == "application/sdp"
    assert "authorization" in reply.headers["access-control-allow-headers"]
    assert "POST" in reply.headers["access-control-allow-methods"]
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE"):
        reply = await whip.client.request(method, whip.url)
        assert reply.status_code == 405
        assert reply.headers["allow"] == "POST, OPTIONS"
    address, _ = await resource(whip)
    for method in ("GET", "HEAD", "PUT", "POST"):
        reply = await whip.client.request(method, address, headers=AUTHORIZED)
        assert reply.status_code == 405
        assert reply.headers["allow"] == "PATCH, DELETE, OPTIONS"
    assert (await whip.client.options(address)).status_code == 204


async def test_addresses_that_are_not_there(whip: Whip) -> None:
    for path in ("/whip/", "/whip/no-id", f"/whip/{whip.session_id}/x/y", "/whip"):
        reply = await whip.client.delete(whip.base + path, headers=AUTHORIZED)
        assert problem(reply) == (404, "not_found")


async def test_delete_ends_it_once(whip: Whip) -> None:
    address, _ = await resource(whip)
    assert problem(await whip.client.delete(address)) == (401, "unknown_key")
    other = address.replace(str(whip.session_id), "0193f2a0-0000-7000-8000-000000000000")
    assert problem(await whip.client.delete(other, headers=AUTHORIZED)) == (404, "not_found")
    assert whip.recorder.takes[0].ends == []
    reply = await whip.client.delete(address, headers=AUTHORIZED | {"if-match": '"some other"'})
    assert reply.status_code == 200
    assert whip.recorder.takes[0].ends == ["unpublished"]
    assert whip.endpoint.publishing == 0
    assert problem(await whip.client.delete(address, headers=AUTHORIZED)) == (404, "not_found")


async def test_trickled_candidates(whip: Whip) -> None:
    address, tag = await resource(whip)
    headers = AUTHORIZED | FRAGMENT | {"if-match": tag}
    candidates = (
        "1 1 udp 2122260223 127.0.0.1 61764 typ host generation 0 ufrag EsAw network-id 1",
        "2 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active",
        "3 1 udp 2122260223 ab12cd34-0000-4000-8000-0123456789ab.local 61764 typ host",
        "4 1 udp nonsense",
    )
    reply = await whip.client.patch(address, content=fragment(UFRAG, *candidates), headers=headers)
    assert (reply.status_code, reply.content) == (204, b"")
    for wrong, status, code in (
        ({"if-match": ""}, 428, "precondition_required"),
        ({"if-match": '"another"'}, 412, "stale_version"),
        ({"content-type": "application/sdp"}, 415, "unsupported_media_type"),
        ({"authorization": "Bearer another"}, 401, "unknown_key"),
    ):
        reply = await whip.client.patch(address, content=fragment(), headers=headers | wrong)
        assert problem(reply) == (status, code)
    assert problem(await whip.client.patch(address, content="a=mid:0", headers=headers)) == (400, "invalid_input")
    restart = await whip.client.patch(address, content=fragment("neww"), headers=headers | {"if-match": "*"})
    assert problem(restart) == (422, "ice_restart_unsupported")
    assert whip.recorder.takes[0].ends == []


async def test_closed_before_there_is_an_answer(whip: Whip) -> None:
    admitted = whip.recorder.admit_wish

    async def close_at_once(wish: object) -> object:
        take = await admitted(wish)  # type: ignore[arg-type]
        take.request.publish.close("NetStream.Publish.Denied", "over")  # type: ignore[attr-defined]
        return take

    whip.recorder.admit_wish = close_at_once  # type: ignore[method-assign,assignment]
    await whip.post(offer())
    await whip.recorder.until(lambda: whip.recorder.takes[0].ends)
    assert whip.recorder.takes[0].ends == ["closed"]


async def test_stopping_ends_all(whip: Whip) -> None:
    await resource(whip)
    await whip.endpoint.stop()
    assert whip.recorder.takes[0].ends == ["closed"]
    assert whip.endpoint.publishing == 0
