"""What is fuzzed behind RTMP's messages and beside them: media in messages, WHIP's offers and packets, stored media.

Each target takes any bytes and returns, or raises what is a bug; what its parser may refuse with is caught by name.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress

from ingest.rtmp.amf0 import Value
from ingest.rtmp.errors import PeerError
from ingest.rtmp.events import MediaReceived
from ingest.rtmp.flv import MediaReader
from ingest.whip.answer import Local, write_answer
from ingest.whip.choice import NotAcceptable, choose
from ingest.whip.offer import BadOffer, read_fragment, read_offer
from ingest.whip.receiver import Receiver, UnsupportedMedia
from media.malformed import MalformedMedia
from media.packet import Packet, Track
from tests.ingest.whip import offers
from tests.media.test_fuzz import PARSERS

LOCAL = Local("mine", "x" * 22, ["1 1 udp 2130706431 127.0.0.1 5000 typ host"], ("sha-256", "AA:BB"), "passive", 7)
MAX_SENT_BYTES = 4096
"""What a receiver may say in answer to one packet."""
_CHOICE = choose(read_offer(offers.offer()))
_PARSERS = [parse for parse, _ in PARSERS.values()]


def several(data: bytes) -> Iterator[tuple[int, bytes]]:
    """`data` as messages: a byte that says what, two of length, so many bytes; the last may be cut short."""
    place = 0
    while place + 3 <= len(data):
        size = data[place + 1] << 8 | data[place + 2]
        yield data[place], data[place + 3 : place + 3 + size]
        place += 3 + size


def joined(messages: list[tuple[int, bytes]]) -> bytes:
    """The other way round."""
    return b"".join(bytes((kind,)) + len(payload).to_bytes(2, "big") + payload for kind, payload in messages)


def tags(data: bytes) -> None:
    """Audio and video messages, plain and enhanced: the first byte's last bit is the kind, its others the time."""
    reader, warned = MediaReader(), 0
    with suppress(PeerError):
        for kind, payload in several(data):
            read = reader.video if kind & 1 else reader.audio
            event = read(memoryview(payload), (kind >> 1) * 40)
            if isinstance(event, MediaReceived):
                packet = event.packet
                assert len(packet.data) <= 4 * len(payload)
                assert packet.track.codec_string
            warned += len(reader.warnings)
            reader.warnings.clear()
            assert warned <= 2 * 255, "each other track is told of once"


def offer(data: bytes) -> None:
    """A WHIP offer, the answer to it, and a fragment that is trickled."""
    text = data.decode("utf-8", "replace")
    with suppress(BadOffer):
        read_fragment(text)
    with suppress(BadOffer, NotAcceptable):
        answer = write_answer(choose(read_offer(text)), LOCAL)
        assert len(answer) <= 4 * len(text) + 2000
        assert read_offer(answer).setup == "passive", "what we write can be read"


def rtp(data: bytes) -> None:
    """RTP, and where the first byte is odd RTCP, to a receiver whose clock goes on by 10 ms with each."""
    sink = Sink()
    receive(data, sink)
    assert sink.bytes <= 2 * len(data)


def receive(data: bytes, sink: "Sink") -> None:
    """What `rtp` does with `data`."""
    receiver, now = Receiver(_CHOICE, sink, own_ssrc=9, keyframe_seconds=2.0, now=0.0), 0.0
    with suppress(UnsupportedMedia):
        for kind, packet in several(data):
            now += 0.01
            (receiver.rtcp if kind & 1 else receiver.rtp)(packet, now)
            receiver.tick(now)
            assert sum(map(len, receiver.data_to_send())) <= MAX_SENT_BYTES


def media(data: bytes) -> None:
    """Configurations, access units, CMAF and playlists: the first byte says which parser."""
    if data:
        with suppress(MalformedMedia):
            _PARSERS[data[0] % len(_PARSERS)](data[1:])


class Sink:
    """Counts what a receiver hands on, and bears nothing else."""

    def __init__(self) -> None:
        self.bytes = self.packets = 0

    def track(self, track: Track) -> None:
        assert track.codec_string

    def packet(self, packet: Packet) -> None:
        self.packets += 1
        self.bytes += len(packet.data)

    def metadata(self, metadata: Mapping[str, Value]) -> None:
        raise AssertionError

    def warned(self, code: str, facts: Mapping[str, str | int]) -> None:
        raise AssertionError

    def unsupported(self, codec: str, reason: str) -> None:
        raise AssertionError

    def ended(self, reason: str) -> None:
        raise AssertionError
