"""HTTP answers of WHIP: problem details (RFC 9457) for every no, and CORS, since pages of another origin publish too.

Rule: the only place where WHIP knows refusals. The body says the rule's code and facts; the page has the words.
"""

import json
from http import HTTPStatus

from domain.refusals import Refusal, RefusalCode
from ingest.hls.answers import NEVER, Answer, Header, Send

PROBLEM = b"application/problem+json"
SDP = b"application/sdp"
FRAGMENT = b"application/trickle-ice-sdpfrag"
RETRY_AFTER: Header = (b"retry-after", b"2")
CHALLENGE: Header = (b"www-authenticate", b'Bearer realm="whip"')
CORS: tuple[Header, ...] = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"location, etag, link, accept-patch, accept-post, retry-after, allow"),
)

_C = RefusalCode
_STATUS = {
    _C.unknown_key: 401,
    _C.key_revoked: 401,
    _C.key_expired: 401,
    _C.unsupported_codec: 422,
    _C.too_large: 413,
    _C.invalid_input: 400,
    _C.not_found: 404,
    _C.stale_version: 412,
    _C.precondition_required: 428,
    _C.node_full: 503,
    _C.department_full: 503,
    _C.disk_full: 507,
    _C.catalogue_away: 503,
}


def from_refusal(refusal: Refusal, detail: str = "") -> Answer:
    """A rule's no: 409 where the key is right but the session or its state is not."""
    status = _STATUS.get(refusal.code, 409)
    headers = {401: (CHALLENGE,), 503: (RETRY_AFTER,)}.get(status, ())
    return problem(status, refusal.code.value, detail or str(refusal), refusal.facts, headers)


def problem(
    status: int, code: str, detail: str, facts: dict[str, str | int] | None = None, headers: tuple[Header, ...] = ()
) -> Answer:
    """`code` is for programs, `detail` a sentence for whoever reads the encoder's log."""
    body = {
        "type": f"urn:lectern:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    content = json.dumps(body | ({"facts": facts} if facts else {}), ensure_ascii=False).encode()
    return Answer(status, content, PROBLEM, (NEVER, *headers))


def not_allowed(methods: str) -> Answer:
    """RFC 9725 §4.2: other methods are kept for later versions."""
    return problem(405, "method_not_allowed", f"Only {methods}.", headers=((b"allow", methods.encode()),))


async def send(answer: Answer, to: Send) -> None:
    headers = [(b"content-length", b"%d" % len(answer.body)), *CORS, *answer.headers]
    if answer.body:
        headers.append((b"content-type", answer.content_type))
    await to({"type": "http.response.start", "status": answer.status, "headers": headers})
    await to({"type": "http.response.body", "body": answer.body})
