"""What is known by its bytes, and what never is."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from domain.playback_token import PlaybackClaim
from ingest.hls.familiar import Familiar
from ingest.nodes.passes import HEADER as PASSED_ON

CLAIM = PlaybackClaim("live", uuid4(), uuid4(), uuid4(), datetime(2026, 1, 5, 8, tzinfo=UTC))
OTHER = PlaybackClaim("live", CLAIM.item_id, uuid4(), uuid4(), CLAIM.expires_at)
HEADERS = [(b"host", b"lectern.test"), (b"accept-encoding", b"br, gzip")]


def request(url: bytes, headers: list[tuple[bytes, bytes]] = HEADERS, version: bytes = b"1.1") -> bytes:
    fields = b"".join(b"%b: %b\r\n" % field for field in headers)
    return b"GET %b HTTP/%b\r\n%b\r\n" % (url, version, fields)


def taught(url: bytes, headers: list[tuple[bytes, bytes]] = HEADERS, claim: PlaybackClaim = CLAIM) -> Familiar:
    familiar = Familiar()
    familiar.learn(request(url, headers), url, headers, claim)
    return familiar


def test_another_name_at_the_same_address_is_known() -> None:
    familiar = taught(b"/live/a/b/main.m3u8")
    known = familiar.read(request(b"/live/a/b/part-1.2.m4s?x=1"))
    assert known is not None
    assert (known.claim, known.name, known.fields.gzip) == (CLAIM, b"part-1.2.m4s?x=1", True)


def test_pieces_of_several_requests_make_a_known_one() -> None:
    familiar = taught(b"/live/a/b/main.m3u8")
    plain = [(b"host", b"lectern.test")]
    familiar.learn(request(b"/live/a/c/main.m3u8", plain), b"/live/a/c/main.m3u8", plain, OTHER)
    known = familiar.read(request(b"/live/a/b/main.m3u8", plain))
    assert known is not None
    assert (known.claim, known.fields.gzip) == (CLAIM, False)


@pytest.mark.parametrize(
    "data",
    [
        request(b"/live/a/x/main.m3u8"),
        request(b"/live/a/main.m3u8"),
        request(b"/live/a/b/c/main.m3u8"),
        request(b"/live/a/b/main.m3u8", version=b"1.0"),
        request(b"/live/a/b/main.m3u8 HTTP/1.1\r\nhost: x"),
        request(b"/live/a/b/main.m3u8\r\nhost: x"),
        request(b"/live/a/b/main%2em3u8"),
        request(b"/live/a/b/main.m3u8\n"),
        request(b"/live/a/b/"),
        request(b"/live/a/b/" + b"a" * 500),
        request(b"/live/a/b/main.m3u8", [*HEADERS, (b"range", b"bytes=0-1")]),
        request(b"/live/a/b/main.m3u8").replace(b"GET", b"PUT"),
        request(b"/live/a/b/main.m3u8")[:-1],
        request(b"/live/a/b/main.m3u8")[1:],
        request(b"/live/a/b/main.m3u8") + b"x",
        request(b"/live/a/b/main.m3u8") * 2,
        b"",
        b"\r\n\r\n",
        b"GET /",
    ],
)
def test_what_differs_anywhere_is_for_the_parser(data: bytes) -> None:
    assert taught(b"/live/a/b/main.m3u8").read(data) is None


@pytest.mark.parametrize("name", [b"range", b"content-length", b"transfer-encoding", PASSED_ON])
def test_what_is_one_request_s_alone_is_not_learnt(name: bytes) -> None:
    headers = [*HEADERS, (name, b"1")]
    assert taught(b"/live/a/b/main.m3u8", headers).read(request(b"/live/a/b/main.m3u8", headers)) is None


def test_only_whole_requests_that_came_alone_are_learnt() -> None:
    url = b"/live/a/b/main.m3u8"
    whole = request(url)
    for data in (
        whole[5:],
        whole[:-3],
        whole * 2,
        whole + b"GET ",
        b"\r\n" + whole,
        whole.replace(b" HTTP", b"  HTTP"),
    ):
        familiar = Familiar()
        familiar.learn(data, url, HEADERS, CLAIM)
        assert familiar.read(data) is None
        assert familiar.read(whole) is None


def test_a_slash_in_the_query_is_no_place_to_divide() -> None:
    url = b"/live/a/b/main.m3u8?next=/x"
    familiar = taught(url)
    assert familiar.read(request(url)) is None
    familiar = taught(b"/live/a/b/main.m3u8")
    assert familiar.read(request(url)) is None
