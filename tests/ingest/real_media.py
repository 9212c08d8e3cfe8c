"""Real encoders' clips on their way through time line and packager, and what decoders make of what comes out."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TypeVarTuple

import av

from ingest.cuts import cut_rule
from ingest.events import CLOCK, Event, Init, Part, SegmentClosed, SegmentOpened
from ingest.packager import Packager
from ingest.timeline import LEAD, Timeline
from media.packet import Packet
from tests.media import clips

RULE = cut_rule(0.5, 2.0, 6)


@dataclass
class Stretch:
    """What came out under one init."""

    init: Init
    parts: list[Part] = field(default_factory=list)

    def write(self, path: Path) -> Path:
        path.write_bytes(self.init.muxed + b"".join(part.muxed for part in self.parts))
        return path

    def write_sound(self, path: Path) -> Path:
        assert self.init.audio is not None
        path.write_bytes(self.init.audio + b"".join(part.audio or b"" for part in self.parts))
        return path


@dataclass
class Packaged:
    """A take's events, and the time line and packager that made them."""

    line: Timeline
    packager: Packager
    events: list[Event]

    @property
    def stretches(self) -> list[Stretch]:
        found: list[Stretch] = []
        for event in self.events:
            if isinstance(event, Init):
                found.append(Stretch(event))
            elif isinstance(event, Part):
                found[-1].parts.append(event)
        return found

    @property
    def opened(self) -> list[SegmentOpened]:
        return [event for event in self.events if isinstance(event, SegmentOpened)]

    @property
    def seconds(self) -> list[float]:
        """How long each segment is."""
        return [event.duration / CLOCK for event in self.events if isinstance(event, SegmentClosed)]


def in_order(*sources: Iterable[Packet]) -> list[Packet]:
    """As an encoder would send them: by decode time, whatever the track."""
    return sorted((p for source in sources for p in source), key=lambda p: p.dts / p.track.timescale)


def package(packets: Iterable[Packet]) -> Packaged:
    """A take of its own, based where takes are."""
    line, packager = Timeline(LEAD), Packager(RULE)
    events = [event for packet in packets for event in packager.packet(line.place(packet))]
    return Packaged(line, packager, events + packager.flush())


def pictures(path: Path) -> list[tuple[float, bytes]]:
    """Time in seconds and hash of every picture that PyAV decodes."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None
        unit = float(stream.time_base)
    return [(round((pts or 0) * unit, 5), digest) for pts, digest in clips.decode(path)]


def sounds(path: Path) -> list[tuple[float, int, bytes]]:
    """Time in seconds, samples and hash of every frame of sound that PyAV decodes."""
    with av.open(str(path)) as container:
        return [
            (round(float((frame.pts or 0) * frame.time_base), 5), frame.samples, _heard(frame))
            for frame in container.decode(audio=0)
            if frame.time_base is not None
        ]


def _heard(frame: av.AudioFrame) -> bytes:
    digest = sha256()
    size = frame.samples * frame.format.bytes * (1 if frame.format.is_planar else len(frame.layout.channels))
    for plane in frame.planes:
        digest.update(memoryview(plane)[:size])
    return digest.digest()


T = TypeVarTuple("T")


def shifted(frames: Iterable[tuple[float, *T]], seconds: float) -> list[tuple[float, *T]]:
    """The frames, this much later."""
    return [(round(frame[0] + seconds, 5), *frame[1:]) for frame in frames]
