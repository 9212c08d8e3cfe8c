"""Viewers at a node that does not have the class: asked for once, answered all, never passed on twice."""

import asyncio
import re
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from ingest.nodes import passes
from ingest.nodes.upstream import NodeUnreachable, Upstream
from storage.catalogue import live_owner
from tests.ingest.classroom import KEYS, encoder, lesson
from tests.ingest.nodes.house import node
from tests.ingest.wired import Stores, until

pytestmark = pytest.mark.anyio


async def test_many_viewers_at_another_node_are_one_request_at_the_owner(stores: Stores) -> None:
    told = await lesson(stores.catalogue)
    revoked = uuid4()
    tokens = [told.token(revoked), *(told.token() for _ in range(19))]
    async with node(stores, "a") as a, node(stores, "b") as b, encoder(a.service, told.key):
        await a.shows(told, 1)
        assert (await b.get(told, "index.m3u8", tokens[1])).text == (await a.get(told, "index.m3u8", tokens[1])).text
        forwarder = b.service.neighbours.forwarder
        msn, _ = a.session(told).window.next_part
        name, before = f"main.m3u8?_HLS_msn={msn + 1}&_HLS_part=0", forwarder.requests
        waiting = [asyncio.create_task(b.get(told, name, token)) for token in tokens]

        async def asked() -> bool:
            return forwarder.requests > before

        await until(asked)
        b.service.viewers.revoke([revoked])
        answers = await asyncio.gather(*waiting)
        assert [one.status_code for one in answers] == [403] + 19 * [200]
        assert len({one.content for one in answers[1:]}) == 1
        assert f'URI="part-{msn + 1}.0.m4s"' in answers[1].text
        # Beside the playlist the part that it was asked with, which was not the next one then.
        assert forwarder.requests == before + 2
        parts = await asyncio.gather(*(b.get(told, f"part-{msn + 1}.0.m4s", token) for token in tokens[1:]))
        assert forwarder.requests == before + 3
        assert {one.content for one in parts} == {(await a.get(told, f"part-{msn + 1}.0.m4s", tokens[1])).content}
        assert "immutable" in parts[0].headers["cache-control"]
        ranged = await b.get(told, f"part-{msn + 1}.0.m4s", tokens[1], headers={"range": "bytes=4-7"})
        assert (ranged.status_code, ranged.content) == (206, b"moof")
        assert forwarder.requests == before + 3
        assert (await b.get(told, "main.m3u8", tokens[0])).status_code == 403
        assert (await b.get(told, "seg-0.m4s", "nonsense")).status_code == 403
        assert (await b.get(told, "main.m3u8?_HLS_msn=500", tokens[1])).status_code == 400
        assert (await b.get(told, "seg-500.m4s", tokens[1])).status_code == 404
        assert (await b.get(told, "other.m3u8", tokens[1])).status_code == 404
        assert (await b.viewer.head(str(parts[0].url))).headers["content-length"] == str(len(parts[0].content))
        assert a.service.viewers.watching(told.session_id) >= 19, "the owner counts who watches elsewhere"


@pytest.mark.long
async def test_the_next_part_is_here_when_its_playlist_names_it(stores: Stores) -> None:
    """Asked for together with the playlist: no viewer waits for a second way to the owner."""
    told = await lesson(stores.catalogue)
    token = told.token()
    async with node(stores, "a") as a, node(stores, "b") as b, encoder(a.service, told.key):
        await a.shows(told, 1)
        forwarder, query, ahead, part = b.service.neighbours.forwarder, "", 0, ""
        for _ in range(7):
            playlist = (await b.get(told, f"main.m3u8{query}", token)).text
            hint = re.search(r'PRELOAD-HINT:TYPE=PART,URI="(part-(\d+)\.(\d+)\.m4s)"', playlist)
            assert hint is not None
            if part in playlist and query:
                asked = forwarder.requests
                assert (await b.get(told, part, token)).status_code == 200
                ahead += forwarder.requests == asked
            part = hint[1]
            query = f"?_HLS_msn={hint[2]}&_HLS_part={hint[3]}&_HLS_skip=YES"
        assert ahead >= 3, "all but where a segment ended otherwise than was thought"


async def test_a_refusal_of_one_viewer_is_not_the_others(stores: Stores) -> None:
    """The owner has heard that a sign-in ended, this node not yet; the request that went out was that viewer's."""
    told = await lesson(stores.catalogue)
    revoked = uuid4()
    async with node(stores, "a") as a, node(stores, "b") as b, encoder(a.service, told.key):
        await a.shows(told, 1)
        a.service.viewers.revoke([revoked])
        msn, _ = a.session(told).window.next_part
        name = f"main.m3u8?_HLS_msn={msn}"
        first = asyncio.create_task(b.get(told, name, told.token(revoked)))
        second = asyncio.create_task(b.get(told, name))
        assert [(await one).status_code for one in (first, second)] == [403, 200]


async def test_what_was_passed_on_is_not_passed_on_again(stores: Stores) -> None:
    told = await lesson(stores.catalogue)
    async with node(stores, "a") as a, node(stores, "b") as b, encoder(a.service, told.key):
        await a.shows(told, 1)
        path = f"/live/{told.session_id}/{told.token()}/main.m3u8"
        name, value = passes.made(KEYS.control, path, "c", 3, datetime.now(UTC))
        before = b.service.neighbours.forwarder.requests
        for header in (value, b"somebody"):
            answer = await b.viewer.get(f"{b.address}{path}", headers={name.decode(): header.decode()})
            assert answer.status_code == passes.MISDIRECTED
        assert b.service.neighbours.forwarder.requests == before
        assert (await a.viewer.get(f"{a.address}{path}", headers={name.decode(): value.decode()})).status_code == 200
        assert a.service.viewers.watching(told.session_id) == 3
        forged = value.replace(b" 3 ", b" 9 ")
        await a.viewer.get(f"{a.address}{path}", headers={name.decode(): forged.decode()})
        assert a.service.viewers.watching(told.session_id) == 3


async def test_an_owner_that_never_recorded_and_is_gone_is_a_503_and_no_owner_a_404(stores: Stores) -> None:
    told, never = await lesson(stores.catalogue), await lesson(stores.catalogue)
    async with stores.catalogue.transaction() as tx:
        await live_owner.claim(tx, told.session_id, "gone", "http://127.0.0.1:9", datetime.now(UTC))
    async with node(stores, "b") as b:
        answer = await b.get(told, "main.m3u8?_HLS_msn=1")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert (await b.get(never, "main.m3u8")).status_code == 404


@pytest.mark.long
async def test_the_hint_does_while_the_catalogue_is_away(stores: Stores) -> None:
    told = await lesson(stores.catalogue)
    async with node(stores, "a") as a, node(stores, "b") as b, encoder(a.service, told.key):
        await a.shows(told, 1)
        await asyncio.sleep(1.1)  # the note is made once a second
        await b.to_postgres.cut()
        assert (await b.get(told, "main.m3u8")).status_code == 200
        await b.to_valkey.cut()
        assert (await b.get(told, "main.m3u8?_HLS_msn=2")).status_code == 200
        await b.to_postgres.mend()


async def test_only_nodes_are_let_in_at_their_door(stores: Stores) -> None:
    told = await lesson(stores.catalogue)
    async with node(stores, "a") as a, encoder(a.service, told.key):
        await a.shows(told, 1)
        door = f"{a.address}/node/sessions/{told.session_id}"
        assert (await a.viewer.post(f"{door}/handover/9")).status_code == 403
        assert (await a.viewer.get(f"{door}/segments/0")).status_code == 403
        assert (await a.viewer.get(f"{door}/segments/x")).status_code == 404
        assert a.has(told)


async def test_upstream_keeps_connections_and_survives_their_end() -> None:
    served = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        served += 1
        for _ in range(2):  # then the connection is closed, without a word before
            while (await reader.readline()).strip():
                pass
            if reader.at_eof():
                break
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    upstream = Upstream()
    for _ in range(5):
        reply = await upstream.get(url, "/x", timeout_seconds=2)
        assert (reply.status, reply.body) == (200, b"abc")
    assert served == 3
    server.close()
    upstream.close()
    with pytest.raises(NodeUnreachable):
        await upstream.get(url, "/x", timeout_seconds=2)


async def test_upstream_gives_up_in_time() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    upstream = Upstream()
    with pytest.raises(NodeUnreachable, match=r"0\.05 s"):
        await upstream.get(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "/x", timeout_seconds=0.05)
    server.close()
