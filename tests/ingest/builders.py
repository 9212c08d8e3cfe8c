"""Packets as an encoder would give them, made by hand: exact times, small payloads, real configurations."""

from collections.abc import Iterator

from media.codecs import aac, h264
from media.packet import Packet, Track, audio_track, video_track

SPS = bytes.fromhex("6742c01ed901e08fea0110000003001000000303c8f162e480")
PPS = bytes.fromhex("68cb83cb20")
AVC_CONFIG = h264.build_config([SPS], [PPS])
VIDEO = video_track("h264", AVC_CONFIG)
AUDIO = audio_track("aac", aac.build_config(48_000, 2))
AUDIO_44 = audio_track("aac", aac.build_config(44_100, 2))


def video(
    seconds: float, *, rate: float = 30, key_every: float = 2.0, start: float = 0.0, track: Track = VIDEO
) -> Iterator[Packet]:
    """Frames at a steady rate, a key frame every `key_every` seconds, beginning with one."""
    frames = round(seconds * rate)
    group = max(1, round(key_every * rate))
    for n in range(frames):
        dts = round((start + n / rate) * 90_000)
        yield Packet(track, dts, dts, n % group == 0, n.to_bytes(4, "big") + bytes(60))


def audio(seconds: float, *, start: float = 0.0, track: Track = AUDIO) -> Iterator[Packet]:
    """AAC frames of 1024 samples, end to end."""
    first = round(start * track.timescale)
    for n in range(round(seconds * track.timescale / 1024)):
        dts = first + n * 1024
        yield Packet(track, dts, dts, True, n.to_bytes(4, "big") + bytes(20))


def interleaved(*lanes: Iterator[Packet]) -> list[Packet]:
    """The lanes' packets in the order of their decode times."""
    packets = [packet for lane in lanes for packet in lane]
    return sorted(packets, key=lambda packet: packet.dts / packet.track.timescale)
