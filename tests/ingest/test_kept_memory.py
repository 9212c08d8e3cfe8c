"""What a live session keeps of each of its segments once their media has left the memory: that is what hours of it
cost. docs/architecture.md tells the figures.
"""

import gc
import tracemalloc
from pathlib import Path

import pytest

from ingest.settings import IngestSettings
from ingest.take import Take
from tests.ingest.builders import audio, interleaved, video
from tests.ingest.live_house import House

SECONDS = 10


def teach(house: House, take: Take, first: int, end: int, *, stored: bool) -> None:
    """The lecture from one second to another, looked at by players meanwhile; its reels get to the store or wait."""
    for start in range(first, end, SECONDS):
        house.feed(take, interleaved(video(SECONDS, rate=10, start=start), audio(SECONDS, start=start)))
        for playlist in house.session.playlists.values():
            playlist.text(gzip=True)
            playlist.text(skip=True)
        house.threads.submit(lambda: None).result()
        if stored:
            for job in house.reels:
                house.session.freed(job)
            house.reels.clear()


@pytest.mark.parametrize(("stored", "most"), [(True, 1_500), (False, 2_200)], ids=["stored", "waiting for the store"])
def test_a_segment_costs_little_for_the_length_of_its_session(tmp_path: Path, stored: bool, most: int) -> None:
    tracemalloc.start()
    try:
        house = House(IngestSettings(spool_folder=tmp_path, reel_seconds=float(SECONDS)))
        take = house.take()
        counts, sizes = [], []
        for first, end in ((0, 4 * SECONDS), (4 * SECONDS, 16 * SECONDS)):
            teach(house, take, first, end, stored=stored)
            gc.collect()
            counts.append(len(house.session.window.segments))
            sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    grown = (sizes[1] - sizes[0]) / (counts[1] - counts[0])
    assert grown < most, f"{grown:.0f} bytes"
