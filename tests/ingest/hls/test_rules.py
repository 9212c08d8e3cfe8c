"""Every version of a session's playlists keeps RFC 8216bis: over drops, cuts, new inits, long groups, delays, the end.

A session by hand, whose every part is followed by both renditions, their delta updates and their compressed texts.
"""

import gzip
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import chain

import pytest

from ingest.hls.playlists import multivariant_text
from ingest.settings import IngestSettings
from ingest.take import Take
from media.packet import Packet
from tests.ingest.builders import AUDIO_44, audio, interleaved, video
from tests.ingest.live_house import House
from tests.kit.hls import rules
from tests.kit.hls.lines import read_master, read_media


@dataclass
class Followed:
    """A live session and what a reader of every version of it has against it."""

    house: House
    before: dict[str, str] = field(default_factory=lambda: {"main": "", "audio": ""})
    faults: list[str] = field(default_factory=list)
    versions: int = 0
    skipped: int = 0

    def teach(self, take: Take, packets: Iterable[Packet]) -> None:
        """In real time, looked at whenever something changed."""
        began, first = self.house.seconds, None
        for packet in packets:
            at = packet.dts / packet.track.timescale
            first = at if first is None else first
            self.house.seconds = began + at - first
            self.house.session.release_due()
            take.packet(packet)
            self.look()

    def look(self) -> None:
        window = self.house.session.window
        if window.version == self.versions or not window.segments:
            return
        self.versions = window.version
        texts = {}
        for name, playlist in self.house.session.playlists.items():
            texts[name] = playlist.text().decode()
            delta = playlist.text(skip=True).decode()
            assert gzip.decompress(playlist.text(gzip=True)).decode() == texts[name]
            assert gzip.decompress(playlist.text(skip=True, gzip=True)).decode() == delta
            self.note(name, rules.of_version(texts[name], self.before[name], delta))
            self.before[name] = texts[name]
            self.skipped = max(self.skipped, read_media(delta).skipped)
        if window.has_audio:
            self.note("main", rules.of_pair(texts["main"], texts["audio"], "audio.m3u8"))
            self.note("audio", rules.of_pair(texts["audio"], texts["main"], "main.m3u8"))

    def note(self, name: str, faults: list[str]) -> None:
        self.faults += [f"{name}, version {self.versions}: {fault}" for fault in faults]

    def end(self) -> None:
        self.house.session.end("done", "", "")
        while not self.house.session.ended:
            self.house.seconds += 1
            self.house.session.release_due()
            self.look()
        self.look()


@pytest.fixture
def followed(settings: IngestSettings) -> Followed:
    return Followed(House(replace(settings, reel_seconds=20.0)))


def steady(seconds: float, rate: float = 25, key_every: float = 2.0) -> list[Packet]:
    return interleaved(video(seconds, rate=rate, key_every=key_every), audio(seconds))


@pytest.mark.parametrize(("rate", "key_every"), [(25, 1.0), (25, 2.0), (29.97, 2.0), (30, 1.6), (15, 10.0), (5, 1.6)])
def test_usual_frame_rates_and_groups(followed: Followed, rate: float, key_every: float) -> None:
    followed.teach(followed.house.take(), steady(6.5, rate, key_every))
    followed.end()
    assert followed.faults == []


@pytest.mark.long
@pytest.mark.parametrize("rate", [5, 8, 10, 12.5, 15, 20, 23.976, 24, 25, 29.97, 30, 50, 60])
@pytest.mark.parametrize("key_every", [0.5, 1.0, 1.6, 2.0, 4.0, 10.0])
def test_any_frame_rate_and_group(followed: Followed, rate: float, key_every: float) -> None:
    followed.teach(followed.house.take(), steady(15, rate, key_every))
    followed.end()
    assert followed.faults == []


def test_more_than_delta_updates_leave_out(followed: Followed) -> None:
    followed.teach(followed.house.take(), steady(44, rate=10))
    assert followed.skipped == 3
    followed.end()
    assert followed.faults == []


def test_drops_and_encoders_that_come_back_otherwise(followed: Followed) -> None:
    """Another take of the same, of sound at another rate, of pictures alone, of sound alone, of both again."""
    for packets in (
        steady(5.3),
        steady(4.1),
        interleaved(video(4.7, rate=30), audio(4.7, track=AUDIO_44)),
        list(video(5)),
        list(audio(5)),
        steady(5),
    ):
        take = followed.house.take()
        followed.teach(take, packets)
        take.hang_up("", "", "connection_lost")
        followed.look()
        followed.house.seconds += 3.7
    followed.end()
    assert followed.faults == []


def test_a_cut_and_its_end(followed: Followed) -> None:
    take, packets = followed.house.take(), steady(19)
    pieces = [
        [p for p in packets if lo <= p.dts / p.track.timescale < hi] for lo, hi in ((0, 5.3), (5.3, 11.5), (11.5, 19))
    ]
    orders: list[Callable[[], None]] = [lambda: None, followed.house.session.cut, followed.house.session.resume]
    for order, piece in zip(orders, pieces, strict=True):
        order()
        followed.look()
        followed.teach(take, piece)
    followed.end()
    assert followed.faults == []


def test_held_back(settings: IngestSettings) -> None:
    followed = Followed(House(settings, delay_seconds=8.0))
    followed.teach(followed.house.take(), steady(16))
    followed.end()
    assert followed.faults == []


def test_sound_that_comes_late_and_pauses_of_both(followed: Followed) -> None:
    def pause(packets: Iterable[Packet], lo: float, hi: float) -> Iterable[Packet]:
        return (p for p in packets if not lo <= p.dts / p.track.timescale < hi)

    lanes = video(30, rate=25), audio(22, start=7.3)
    followed.teach(followed.house.take(), pause(interleaved(*lanes), 14.1, 18.9))
    followed.end()
    assert followed.faults == []


def test_the_multivariant_playlist_names_every_format_of_the_session(followed: Followed) -> None:
    for packets in (steady(5), list(video(5))):
        take = followed.house.take()
        followed.teach(take, packets)
        take.hang_up("", "", "connection_lost")
    master = read_master(multivariant_text(followed.house.session.window).decode())
    inits = followed.house.session.window.inits.values()
    codecs = {track.codec_string for track in chain.from_iterable(init.tracks for init in inits)}
    assert set(master.variants[0][0]["CODECS"].split(",")) == codecs
    assert [uri for _, uri in master.variants] == ["main.m3u8", "audio.m3u8"]
