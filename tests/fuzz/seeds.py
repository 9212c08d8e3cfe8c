"""Where fuzzing begins: real encoders' bytes and one of each kind of message, for each target."""

import struct
from pathlib import Path

from ingest.rtmp.amf0 import Date, EcmaArray, Value, encode
from media.codecs import h264, h265, nal
from tests.fuzz.media_targets import joined
from tests.ingest.whip import offers
from tests.ingest.whip.h264_rtp import IDR, PPS, SLICE, SPS, fragments, stap
from tests.kit import rtmp_bytes as wire
from tests.media.codecs.test_h265_av1 import AV1C, HVCC
from tests.media.codecs.test_opus import HEAD
from tests.media.test_fuzz import PARSERS

CAPTURES = Path(__file__).parents[1] / "ingest" / "rtmp" / "captures"
_HANDSHAKE_BYTES = 1 + 2 * 1536
_CAPTURED_BYTES = 2500  # of a capture behind its handshake: commands, configurations, some media
HEVC_SETS = h265.parse_config(HVCC).units
NAL = b"\0\0\0\x02\x65\x88"
AMF3 = (
    "11 0a 23 03 43 03 61 03 62 01 04 02",
    "11 09 07 01 0a 13 01 03 61 06 00 0a 01 06 00 0a 02",
    "11 0d 05 00 00000001 ffffffff",
    "11 11 05 00 06 03 61 04 01 04 07 03",
    "11 08 01 4271d6f3e5c00000",
    "11 0c 05 6869",
)

FRAGMENT = f"a=ice-ufrag:{offers.UFRAG}\r\na=ice-pwd:{offers.PASSWORD}\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n".encode()


def seeds(target: str) -> list[bytes]:
    """The seeds of one of `targets.TARGETS`."""
    match target:
        case "handshake":
            return _handshakes()
        case "chunks":
            return [*_messages(), *_captured()]
        case "amf":
            return _values()
        case "publish":
            return [*_messages(), b"".join(_messages())]
        case "tags":
            return _tags()
        case "offer":
            return [offers.offer().encode(), offers.offer(sections=(offers.AUDIO,)).encode(), FRAGMENT]
        case "rtp":
            return _packets()
        case "media":
            return [bytes((number,)) + valid for number, (_, valid) in enumerate(PARSERS.values())]
        case _:
            return [wire.opening()[_HANDSHAKE_BYTES:], wire.opening(), *_captured(), *_openings()]


def _handshakes() -> list[bytes]:
    signed = [b"\x03" + wire.signed_block(scheme) + bytes(1536) for scheme in (8, 772)]
    return [wire.handshake(), *signed, b"\x06", b"\x16\x03\x01", wire.handshake() + b"behind"]


def _captured() -> list[bytes]:
    return [path.read_bytes()[_HANDSHAKE_BYTES:][:_CAPTURED_BYTES] for path in sorted(CAPTURES.glob("*.rtmp"))]


def _values() -> list[bytes]:
    properties: dict[str, Value] = {
        "app": "live",
        "capsEx": 15.0,
        "fourCcList": ["av01", "hvc1"],
        "ok": True,
        "none": None,
    }
    said = [
        encode("connect", 1.0, properties),
        encode("@setDataFrame", "onMetaData", EcmaArray({"width": 320.0, "at": Date(1.5), "inner": {"a": [1.0, "b"]}})),
        encode("x" * 70_000)[:300],
    ]
    return [*said, *map(bytes.fromhex, AMF3), encode("connect", 1.0) + bytes.fromhex(AMF3[0])]


def _openings() -> list[bytes]:
    tail = wire.command("createStream", 2.0, None) + wire.command("publish", 3.0, None, "KEY", stream_id=1)
    amf3 = wire.message(17, b"\0" + encode("createStream", 2.0, None))
    return [wire.connect("live", capsEx=15.0, fourCcList=["*"]) + tail, wire.connect("KEY") + amf3 + tail]


def _messages() -> list[bytes]:
    """One of each kind as a publisher says it in chunks of 4096 bytes, where that is what holds."""

    def say(kind: int, payload: bytes, time: int = 0, form: int = 0) -> bytes:
        return wire.message(kind, payload, time=time, stream_id=1, chunk_stream=6, chunk_bytes=4096, form=form)

    several = b"\x96\x10avc1" + b"".join(bytes((n,)) + len(NAL).to_bytes(3, "big") + NAL for n in range(3))
    return [
        wire.message(1, struct.pack(">I", 65_536), chunk_stream=2),
        wire.message(2, struct.pack(">I", 6), chunk_stream=2),
        wire.message(3, struct.pack(">I", 1), chunk_stream=2),
        wire.message(4, bytes.fromhex("000600000001"), chunk_stream=2),
        wire.message(5, struct.pack(">I", 100), chunk_stream=2),
        say(wire.DATA, wire.metadata(width=320.0, encoder="fuzz")),
        say(wire.VIDEO, wire.avc_configuration()),
        say(wire.AUDIO, wire.aac_configuration()),
        say(wire.VIDEO, wire.avc_frame(NAL * 60, key=True, offset_ms=80), 40),
        say(wire.VIDEO, wire.avc_frame(NAL), 0x0100_0000),
        say(wire.AUDIO, wire.aac_frame(b"sound"), 21),
        say(wire.AGGREGATE, wire.tags([(8, 43, wire.aac_frame(b"a")), (9, 40, wire.avc_frame(NAL))]), 43),
        say(wire.VIDEO, b"\x90avc1" + wire.AVCC),
        say(wire.VIDEO, b"\x91avc1\0\0\x28" + NAL, 80),
        say(wire.VIDEO, b"\x97\x02\x07\xa1\x20\x03avc1" + NAL, 80),
        say(wire.VIDEO, several, 80),
        say(wire.AUDIO, b"\x95\x00mp4a\x01" + wire.ASC),
        say(17, b"\0" + encode("_checkbw", 0.0, None)),
        say(20, encode("FCUnpublish", 6.0, None, "KEY")),
        say(20, encode("deleteStream", 7.0, None, 1.0)),
        say(20, encode("publish", 8.0, None, "KEY2", "live")),
    ]


def _tags() -> list[bytes]:
    """Configuration and frames of every codec, plain and enhanced, as `media_targets.tags` takes them."""
    video = [
        [wire.avc_configuration(), wire.avc_frame(NAL, key=True, offset_ms=80), wire.avc_frame(NAL)],
        [b"\x1c\x00\x00\x00\x00" + HVCC, b"\x1c\x01\x00\x00\x00" + NAL],
        [wire.avc_configuration(), wire.avc_frame(h264.join_avcc([b"\x09\xf0", SPS, PPS, IDR]), key=True)],
        [b"\x90hvc1" + HVCC, b"\x93hvc1" + nal.join_lengths(u for _, units in HEVC_SETS for u in units) + NAL],
        [b"\x90hvc1" + HVCC, b"\x91hvc1\x00\x00\x28" + NAL, b"\xa3hvc1" + NAL],
        [b"\x90av01" + AV1C, b"\x91av01\x12\x00\x0a\x01\x00\x32\x02\x10\x00", b"\x92av01"],
        [b"\x96\x00avc1\x00" + wire.AVCC, b"\x97\x02\x07\xa1\x20\x01avc1\x00\x00\x00" + NAL],
    ]
    audio = [
        [wire.aac_configuration(), wire.aac_frame(b"sound")],
        [b"\x90Opus" + HEAD, b"\x91Opus\xfc\xff\xfe", b"\x95\x01Opus\x00\x00\x00\x03\xfc\xff\xfe"],
        [b"\x90mp4a" + wire.ASC, b"\x91mp4asound"],
    ]
    found = [joined([(2 * n | 1, one) for n, one in enumerate(lane)]) for lane in video]
    return [*found, *(joined([(2 * n, one) for n, one in enumerate(lane)]) for lane in audio)]


def _packets() -> list[bytes]:
    """Streams of each kind for `media_targets.rtp`: pictures in every payload form, sound, reports, a goodbye."""

    def packet(
        kind: int, number: int, payload: bytes, ssrc: int, *, at: int = 0, marker: bool = True
    ) -> tuple[int, bytes]:
        head = struct.pack("!BBHII", 0x90, kind | 0x80 * marker, number, 3000 * at, ssrc)
        return 0, head + bytes.fromhex("bede0001") + b"\x31" + number.to_bytes(2, "big") + b"\0" + payload

    pieces = fragments(IDR * 20, 30)
    pictures = [packet(104, 0, stap([SPS, PPS]), 2001, marker=False), packet(104, 1, IDR, 2001)]
    pictures += [packet(104, 2 + n, one, 2001, at=1, marker=one[1] & 0x40 > 0) for n, one in enumerate(pieces)]
    sounds = [packet(111, n, b"\xfc\xff\xfe", 1001, at=n) for n in range(5)]
    report = (1, struct.pack("!BBHIQIII", 0x80, 200, 6, 2001, 1 << 40, 90_000, 1, 1))
    goodbye = (1, struct.pack("!BBHI", 0x81, 203, 1, 2001))
    again = packet(105, 900, b"\x00\x03" + SLICE, 2002)
    lost = [pictures[0], pictures[1], packet(104, 4, SLICE, 2001, at=2), again]
    return [joined(one) for one in (pictures, sounds, lost, [*pictures, report, *sounds, goodbye, pictures[0]])]
