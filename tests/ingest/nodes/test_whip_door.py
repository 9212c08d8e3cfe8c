"""A browser's publish where several nodes answer at one address: each later request finds its process."""

from urllib.parse import urlsplit

import pytest

from tests.ingest.classroom import lesson
from tests.ingest.nodes.house import node
from tests.ingest.whip.sender import Clip, publishing
from tests.ingest.wired import Stores, until

pytestmark = pytest.mark.anyio


async def test_the_end_of_a_publish_may_come_to_any_node(stores: Stores, clip: Clip) -> None:
    told = await lesson(stores.catalogue)
    headers = {"authorization": f"Bearer {told.key}"}
    async with (
        node(stores, "a") as a,
        node(stores, "b") as b,
        publishing(a.viewer, f"{a.address}/whip/{told.session_id}", told.key, clip) as published,
    ):
        path = urlsplit(published.resource).path
        address, mark, place = path.partition("~")
        assert mark
        for wrong in (address, f"{address}~{place[:-2]}", f"{address}~", f"{address}~\u00e9"):
            assert (await b.viewer.delete(f"{b.address}{wrong}", headers=headers)).status_code == 404
        again = {**headers, "lectern-forwarded": "x"}
        assert (await b.viewer.delete(f"{b.address}{path}", headers=again)).status_code == 404
        stranger = await b.viewer.delete(f"{b.address}{path}", headers={"authorization": "Bearer no"})
        assert (stranger.status_code, stranger.json()["code"]) == (401, "unknown_key")
        assert (await b.viewer.delete(f"{b.address}{path}", headers=headers)).status_code == 200

        async def ended() -> bool:
            return a.service.whip.publishing == 0

        await until(ended)
