"""The control channel fails under a reviewed session: its gate freezes in time; and revocations on it.

PostgreSQL is real and behind a wire that is cut, or on which nothing comes through any more.
"""

import asyncio
from uuid import uuid4

import httpx
import pytest
from redis.asyncio import Redis

from domain.broadcast_delay import LEAST_SECONDS, SILENCE_SECONDS
from ingest.service import IngestService
from storage.catalogue import accounts, sign_ins
from storage.catalogue.sign_ins import NewSignIn
from storage.catalogue.tables.sign_in import SignIn
from storage.catalogue.transaction import Catalogue
from storage.echo import Echo
from tests.ingest.classroom import encoder, lesson, now, order
from tests.ingest.wired import Wires, segments, until

pytestmark = pytest.mark.anyio

LATE_SECONDS = 0.4
"""For ticks and a loaded machine."""


@pytest.mark.long
@pytest.mark.parametrize("held", [False, True], ids=["cut", "silent"])
async def test_a_reviewed_session_freezes_when_no_cut_could_be_heard(wired: Wires, held: bool) -> None:
    told = await lesson(wired.stores.catalogue, delay_seconds=LEAST_SECONDS)
    async with wired.ingest() as service, encoder(service, told.key, speed=1.5):
        await segments(service, told, 1)
        session = service.lives.sessions[told.session_id]
        if held:
            wired.to_postgres.hold()
        else:
            await wired.to_postgres.cut()
        await asyncio.sleep(SILENCE_SECONDS + LATE_SECONDS)
        assert session.gate.is_frozen(service.lives.clock())
        assert "no cut could be heard" in "".join(service.troubles())
        frozen, shown = session.window.version, session.window.next_msn
        await order(wired.stores.catalogue, told.session_id, "cut", "while the server was deaf")
        await asyncio.sleep(2)
        assert session.window.version == frozen
        assert not session.gate.is_cut
        if held:
            wired.to_postgres.let_go()
        else:
            await wired.to_postgres.mend()

        async def obeyed() -> bool:
            return session.gate.is_cut

        await until(obeyed, 10)
        new = session.window.segments[shown:]
        assert all(segment.holding for segment in new), "the end of the segment that the audience was in, and no frame"
        await order(wired.stores.catalogue, told.session_id, "resume")
        count = session.window.closed_count
        await segments(service, told, count + 1)


@pytest.mark.long
async def test_a_reviewed_session_goes_on_when_the_channel_comes_back(wired: Wires) -> None:
    told = await lesson(wired.stores.catalogue, delay_seconds=LEAST_SECONDS)
    async with wired.ingest() as service, encoder(service, told.key, speed=1.5):
        await segments(service, told, 1)
        session = service.lives.sessions[told.session_id]
        await wired.to_postgres.cut()
        await asyncio.sleep(SILENCE_SECONDS + LATE_SECONDS)
        frozen = session.window.closed_count
        await wired.to_postgres.mend()
        await segments(service, told, frozen + 2)
        assert session.playlists["main"].text().decode().count("#EXT-X-DISCONTINUITY\n") == 0
        await order(wired.stores.catalogue, told.session_id, "end")
        await until(lambda: wired.stores.is_stored(told))
        await wired.stores.check_whole(told)


async def signed_in(catalogue: Catalogue) -> tuple[NewSignIn, SignIn]:
    async with catalogue.transaction() as tx:
        account = await accounts.add(tx, f"u{uuid4().hex[:10]}", "王同学", "-")
        new = NewSignIn(account.id, uuid4().bytes, None, now().replace(year=now().year + 1))
        return new, await sign_ins.start(tx, new, now())


async def test_a_token_counts_no_more_within_two_seconds(wired: Wires) -> None:
    """Signed out, signed in elsewhere; heard from the catalogue, from Valkey alone, and from neither."""
    told = await lesson(wired.stores.catalogue)
    async with (
        wired.ingest() as service,
        httpx.AsyncClient(timeout=20) as client,
        Redis.from_url(wired.stores.valkey.url) as directly,
        encoder(service, told.key),
    ):
        await segments(service, told, 1)
        _, out = await signed_in(wired.stores.catalogue)
        new, elsewhere = await signed_in(wired.stores.catalogue)
        _, by_valkey = await signed_in(wired.stores.catalogue)
        _, unheard = await signed_in(wired.stores.catalogue)
        folder = f"{_base(service)}/{told.session_id}"
        addresses = {one: f"{folder}/{told.token(one.id)}" for one in (out, elsewhere, by_valkey, unheard)}
        for base in addresses.values():
            assert (await client.get(f"{base}/main.m3u8")).status_code == 200

        async def is_out(one: SignIn) -> bool:
            return (await client.get(f"{addresses[one]}/main.m3u8")).status_code == 403

        msn = service.lives.sessions[told.session_id].window.closed_count
        waiting = asyncio.create_task(client.get(f"{addresses[out]}/main.m3u8?_HLS_msn={msn + 1}"))
        async with wired.stores.catalogue.transaction() as tx:
            assert await sign_ins.end(tx, out.id, "signed_out", now())
            await sign_ins.start(tx, NewSignIn(new.account_id, uuid4().bytes, None, new.expires_at), now())
        await until(lambda: is_out(out), 2)
        await until(lambda: is_out(elsewhere), 2)
        assert (await waiting).status_code == 403
        await wired.to_postgres.cut()
        wired.stores.catalogue.echo = Echo(directly)
        async with wired.stores.catalogue.transaction() as tx:
            assert await sign_ins.end(tx, by_valkey.id, "signed_out", now())
        await until(lambda: is_out(by_valkey), 2)
        await wired.to_valkey.cut()
        async with wired.stores.catalogue.transaction() as tx:
            assert await sign_ins.end(tx, unheard.id, "signed_out", now())
        await asyncio.sleep(1.5)
        assert not await is_out(unheard), "nobody can have heard it"
        await wired.to_postgres.mend()
        await until(lambda: is_out(unheard), 2)
        await wired.to_valkey.mend()


def _base(service: IngestService) -> str:
    assert service.http is not None
    return f"http://127.0.0.1:{service.http.port}/live"
