"""How coarse a take's key frames are, from real ones: their mean, and nothing where it cannot be known."""

from dataclasses import replace
from pathlib import Path

import pytest

from ingest.key_quantisers import KeyQuantisers
from media.packet import Packet
from tests.media import clips


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Packet]:
    """Key frames of one encoder by the quantiser that it was told for each."""
    folder, told = tmp_path_factory.mktemp("pictures"), (20, 41, 44)
    zones = "/".join(f"{number},{number},q={quantiser}" for number, quantiser in enumerate(told))
    options = ("-c:v", "libx264", "-preset", "ultrafast", "-threads", "1", "-frames:v", "3", "-g", "1")
    made = clips.encode(folder / "a.mp4", *options, "-x264-params", f"zones={zones}")
    return dict(zip(told, clips.demux(made).packets, strict=True))


def fed(*packets: Packet) -> float | None:
    quantisers = KeyQuantisers()
    for packet in packets:
        quantisers.see(packet)
    return quantisers.mean


def test_the_mean_of_the_last_three(pictures: dict[int, Packet]) -> None:
    fine, coarse, coarser = pictures[20], pictures[41], pictures[44]
    assert fed(coarse, coarser) is None, "too few to say anything"
    assert fed(fine, coarse, coarse, coarser) == 42.0
    assert fed(fine, fine, coarser) == 28.0, "one hard picture"


def test_what_cannot_be_read_is_not_known_and_harms_nothing(pictures: dict[int, Packet], tmp_path: Path) -> None:
    coarse = pictures[44]
    assert fed(*[coarse] * 3, replace(coarse, data=coarse.data[:5])) is None
    assert fed(*[coarse] * 3, replace(coarse, data=b"")) is None
    assert fed(*[replace(coarse, track=replace(coarse.track, config=b"\x01"))] * 3) is None
    other = clips.demux(clips.encode(tmp_path / "a.mp4", *clips.H265)).packets[0]
    assert fed(other, other, other) is None, "on a scale of its own"


def test_another_track_begins_anew(pictures: dict[int, Packet]) -> None:
    coarse = pictures[44]
    other = replace(coarse, track=replace(coarse.track))
    assert fed(*[coarse] * 3, other) is None
    assert fed(*[coarse] * 3, *[other] * 3) == 44.0
