"""Leases against a real Valkey. Their ends are brought about by `pexpire`, never waited for."""

import contextlib
import threading
from collections.abc import AsyncIterator

import pytest
import redis
import redis.asyncio

from storage.embedded import valkey as embedded_valkey
from storage.leases import PREFIX, Leases, LeaseTaken, LiveLeases
from storage.live_state import connect_live

LIFE_MS = 60_000
KEY = f"{PREFIX}{{work}}"


@pytest.fixture
def leases(valkey_connection: redis.Redis) -> Leases:
    return Leases(valkey_connection)


@pytest.fixture
async def live_leases(valkey: embedded_valkey.Running, leases: Leases) -> AsyncIterator[LiveLeases]:
    async with connect_live(valkey.url) as connection:
        yield LiveLeases(connection)


def _expire(connection: redis.Redis) -> None:
    connection.pexpire(KEY, 0)


def test_one_holder_at_a_time(leases: Leases) -> None:
    first = leases.acquire("work", "a", life_ms=LIFE_MS)
    with pytest.raises(LeaseTaken, match="held by a") as refusal:
        leases.acquire("work", "b", life_ms=LIFE_MS)
    assert refusal.value.by == first
    assert leases.current("work") == first
    assert leases.acquire("other", "b", life_ms=LIFE_MS).holder == "b"


def test_tokens_grow_over_release_expiry_and_lost_data(leases: Leases, valkey_connection: redis.Redis) -> None:
    tokens = []
    for number in range(4):
        lease = leases.acquire("work", "a", life_ms=LIFE_MS)
        tokens.append(lease.token)
        if number % 2:
            leases.release(lease)
        else:
            _expire(valkey_connection)
    valkey_connection.flushall()
    tokens.append(leases.acquire("work", "a", life_ms=LIFE_MS).token)
    assert tokens == sorted(set(tokens))


def test_tokens_grow_under_a_clock_that_was_set_back(leases: Leases, valkey_connection: redis.Redis) -> None:
    ahead = 5 * 10**15  # microseconds: some year after 2120
    valkey_connection.set(f"{KEY}:token", ahead)
    assert leases.acquire("work", "a", life_ms=LIFE_MS).token == ahead + 1


def test_who_lost_it_can_neither_renew_nor_release(leases: Leases, valkey_connection: redis.Redis) -> None:
    lost = leases.acquire("work", "a", life_ms=LIFE_MS)
    _expire(valkey_connection)
    assert not leases.renew(lost, life_ms=LIFE_MS)
    now = leases.acquire("work", "b", life_ms=LIFE_MS)
    assert not leases.renew(lost, life_ms=LIFE_MS)
    assert not leases.release(lost)
    assert leases.current("work") == now
    assert leases.renew(now, life_ms=LIFE_MS)
    assert leases.release(now)
    assert leases.current("work") is None


def test_a_lease_ends_by_itself(leases: Leases, valkey_connection: redis.Redis) -> None:
    leases.acquire("work", "a", life_ms=LIFE_MS)
    assert 0 < valkey_connection.pttl(KEY) <= LIFE_MS


def test_a_held_lease_is_renewed_and_let_go(leases: Leases, valkey_connection: redis.Redis) -> None:
    with leases.held("work", "a", life_ms=600) as held:
        # Twice its life: it would be gone without renewal. The wait is for a key that nobody pushes.
        valkey_connection.blpop(["nothing"], 1.2)
        assert not held.lost
        assert leases.current("work") == held.lease
    assert leases.current("work") is None


def test_a_held_lease_that_was_taken_says_so(leases: Leases, valkey_connection: redis.Redis) -> None:
    with leases.held("work", "a", life_ms=300) as held:
        valkey_connection.delete(KEY)
        other = leases.acquire("work", "b", life_ms=LIFE_MS)
        assert held._lost.wait(5.0)
        assert held.lost
    assert leases.current("work") == other


def test_many_at_once_get_one_lease(leases: Leases) -> None:
    barrier = threading.Barrier(8)
    won: list[int] = []

    def try_it(number: int) -> None:
        barrier.wait()
        with contextlib.suppress(LeaseTaken):
            won.append(leases.acquire("work", str(number), life_ms=LIFE_MS).token)

    threads = [threading.Thread(target=try_it, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


@pytest.mark.anyio
async def test_the_event_loops_leases_are_the_same(leases: Leases, live_leases: LiveLeases) -> None:
    lease = await live_leases.acquire("work", "node-1", life_ms=LIFE_MS)
    assert leases.current("work") == lease == await live_leases.current("work")
    with pytest.raises(LeaseTaken):
        leases.acquire("work", "node-2", life_ms=LIFE_MS)
    with pytest.raises(LeaseTaken):
        await live_leases.acquire("work", "node-2", life_ms=LIFE_MS)
    assert await live_leases.renew(lease, life_ms=LIFE_MS)
    assert await live_leases.release(lease)
    assert not await live_leases.release(lease)
    assert await live_leases.current("work") is None
