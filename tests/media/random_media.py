"""Valid packets by chance: real encoders' frames at times no encoder would give, in parts cut anywhere.

Pictures keep their order of decoding and of showing, whose distances are drawn anew; so is everything about the muxer's
input that may differ from one stream to another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from media.fragments import fragment, init_segment, track_run
from media.packet import Packet, Track
from tests.media import clips


@dataclass(frozen=True)
class RandomMedia:
    """What went into the muxer, per track, and the file that came out."""

    packets: list[list[Packet]]
    ends: list[int]
    file: bytes


def random_media(seed: int, sources: Sequence[clips.Demuxed], *, early: bool = False) -> RandomMedia:
    """One file of one or two tracks. With `early`, pictures may be shown before they are decoded."""
    random = Random(seed)
    videos = [source for source in sources if source.tracks[0].kind == "video"]
    lanes: list[list[Packet]] = []
    if random.random() < 0.9:
        source = random.choice(videos)
        lanes.append(pictures(random, [p for p in source.packets if p.track == source.tracks[0]], early))
    if not lanes or random.random() < 0.7:
        source = random.choice([source for source in sources if source.tracks[-1].kind == "audio"])
        lanes.append(_sounds(random, [p for p in source.packets if p.track == source.tracks[-1]]))
    ends = [lane[-1].dts + random.randrange(1, 10_000) for lane in lanes]
    return RandomMedia(lanes, ends, _mux(random, [lane[0].track for lane in lanes], lanes, ends))


def pictures(random: Random, source: Sequence[Packet], early: bool) -> list[Packet]:
    """Some groups of a real encoder's pictures, at times drawn anew: no two steps need be alike."""
    starts = [n for n, packet in enumerate(source) if packet.keyframe]
    first = random.choice(starts)
    chosen = list(source[first : first + random.randrange(1, 60)])
    while len(chosen) > 1 and any(p.pts < chosen[-1].pts for p in source[first + len(chosen) :]):
        chosen.pop()  # no picture is missing that is shown between others
    times = _times(random, len(chosen))
    shown = sorted(range(len(chosen)), key=lambda n: chosen[n].pts)
    late = max(times[n] - times[rank] for rank, n in enumerate(shown)) + random.choice([0, 1, 3003])
    if early:
        late = random.randrange(-9000, 1)
    at = {n: times[rank] + late for rank, n in enumerate(shown)}
    return [Packet(p.track, times[n], at[n], p.keyframe, p.data) for n, p in enumerate(chosen)]


def _sounds(random: Random, source: list[Packet]) -> list[Packet]:
    chosen = source[: random.randrange(1, len(source))]
    times = _times(random, len(chosen))
    return [Packet(p.track, at, at, p.keyframe, p.data) for p, at in zip(chosen, times, strict=True)]


def _times(random: Random, count: int) -> list[int]:
    """Rising decode times: even ones, even with exceptions, or any; near zero or far beyond 32 bits."""
    at = random.choice([0, 1, random.randrange(2**20), random.randrange(2**33, 2**40)])
    kind, step = random.randrange(3), random.choice([1, 1024, 3000, 3003])
    times = []
    for _ in range(count):
        times.append(at)
        at += step if kind == 0 or (kind == 1 and random.random() < 0.9) else random.randrange(1, 20_000)
    return times


def _mux(random: Random, tracks: list[Track], lanes: list[list[Packet]], ends: list[int]) -> bytes:
    """Parts of any number of each track's packets, none of one track in some."""
    pieces = [init_segment(tracks)]
    at = [0] * len(lanes)
    number = random.randrange(2**31)
    while any(place < len(lane) for place, lane in zip(at, lanes, strict=True)):
        runs = []
        for index, lane in enumerate(lanes):
            taken = lane[at[index] : at[index] + random.choice([0, 1, 5, 30])]
            at[index] += len(taken)
            if taken:
                following = lane[at[index]].dts if at[index] < len(lane) else ends[index]
                runs.append(track_run(index + 1, taken, following))
        if runs:
            head, payloads = fragment(number, runs)
            pieces += [head, *map(bytes, payloads)]
            number += 1
    return b"".join(pieces)
