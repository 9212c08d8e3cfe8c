"""What has cycles does not wait for the collector's own counting: a process with few lectures hardly makes it count."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from ingest.collector import OLDER_LOOKS, Collector

pytestmark = pytest.mark.anyio


class Cycle:
    """As statements of the catalogue's are: found by nobody, and held by itself."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Settled; for whatever runs afterwards the collector is as it was."""
    counting = gc.get_threshold()
    settled = Collector()
    settled.settle()
    yield settled
    gc.set_threshold(*counting)
    gc.unfreeze()


async def test_what_is_new_is_gone_at_the_next_look(collector: Collector) -> None:
    made = [weakref.ref(Cycle()) for _ in range(100)]
    assert all(one() for one in made)
    await collector.look()
    assert not any(one() for one in made)


async def test_what_was_in_use_at_a_look_is_gone_after_some(collector: Collector) -> None:
    in_use = Cycle()
    made = weakref.ref(in_use)
    await collector.look()
    del in_use
    for _ in range(OLDER_LOOKS):
        await collector.look()
    assert made() is None


async def test_what_stays_is_not_looked_at_again(collector: Collector) -> None:
    assert gc.get_freeze_count() > 10_000
    await collector.look()
    assert gc.get_freeze_count() > 10_000
