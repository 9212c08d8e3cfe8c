"""A browser that publishes loses its line while the catalogue is away, and comes back."""

import httpx
import pytest

from ingest.live_session import LiveSession
from storage.catalogue import takes
from tests.ingest.classroom import lesson, order
from tests.ingest.whip.offers import offer
from tests.ingest.whip.sender import Clip, publishing
from tests.ingest.wired import Wires, segments, until

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.timeout(90)]


@pytest.mark.parametrize("how", ["cut", "hold"])
async def test_it_is_let_back_and_strangers_are_told_to_wait(wired: Wires, clip: Clip, how: str) -> None:
    told, stranger = await lesson(wired.stores.catalogue), await lesson(wired.stores.catalogue)
    async with wired.ingest() as service, httpx.AsyncClient(timeout=20, trust_env=False) as client:
        assert service.http is not None
        base = f"http://127.0.0.1:{service.http.port}/whip"
        url = f"{base}/{told.session_id}"
        async with publishing(client, url, told.key, clip):
            await segments(service, told, 1)
        session = service.lives.sessions[told.session_id]
        await until(lambda: is_over(session))
        if how == "cut":
            await wired.to_postgres.cut()
        else:
            wired.to_postgres.hold()
        count = session.window.closed_count
        async with publishing(client, url, told.key, clip):
            await segments(service, told, count + 1)
            refused = await client.post(
                f"{base}/{stranger.session_id}", content=offer(), headers=bearer(stranger.key) | SDP
            )
            assert (refused.status_code, refused.json()["code"]) == (503, "catalogue_away")
            assert refused.headers["retry-after"]
            elsewhere = await client.post(
                f"{base}/{stranger.session_id}", content=offer(), headers=bearer(told.key) | SDP
            )
            assert (elsewhere.status_code, elsewhere.json()["code"]) == (401, "unknown_key")
        wired.to_postgres.let_go()
        if how == "cut":
            await wired.to_postgres.mend()
        await order(wired.stores.catalogue, told.session_id, "end")
        await until(lambda: wired.stores.is_stored(told))
        placed = await wired.stores.check_whole(told)
    assert {one.take_number for one in placed} == {1, 2}
    async with wired.stores.catalogue.transaction() as tx:
        rows = await takes.of_session(tx, told.session_id)
    assert [(row.protocol, row.state, row.video_codec) for row in rows] == [("whip", "ended", "h264")] * 2


SDP = {"content-type": "application/sdp"}


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


async def is_over(session: LiveSession) -> bool:
    return session.take is None
