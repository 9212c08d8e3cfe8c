"""Datagrams to a sink, time by hand: what is asked of the peer when something is missing, and what never goes on."""

import struct
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from ingest.whip.choice import choose
from ingest.whip.offer import read_offer
from ingest.whip.receiver import PLI_SECONDS, SOUND_WAIT_SECONDS, VIDEO_WAIT_SECONDS, Receiver, UnsupportedMedia
from tests.ingest.rtmp.recorder import Take
from tests.ingest.whip.h264_rtp import IDR, NEW_PPS, NEW_SPS, PPS, SLICE, SPS, stap
from tests.ingest.whip.offers import AUDIO, VIDEO, offer
from tests.ingest.whip.serving import WhipRecorder

H264, RTX, OPUS = 104, 105, 111
KEY = stap([SPS, PPS, IDR])
SOUND = b"\xfc\xff\xfe"


def datagram(payload_type: int, number: int, timestamp: int, payload: bytes, *, ssrc: int, wide: int = 0) -> bytes:
    head = struct.pack("!BBHII", 0x90, payload_type | 0x80, number & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc)
    return head + b"\xbe\xde\x00\x01\x31" + struct.pack("!Hx", wide & 0xFFFF) + payload


def kinds_of(packets: list[bytes]) -> list[str]:
    names = {(206, 1): "pli", (205, 1): "nack", (205, 15): "arrivals", (201, 2): "report", (201, 1): "report"}
    return [names.get((packet[1], packet[0] & 0x1F), "report") for packet in packets]


@dataclass
class Peer:
    """Feeds a receiver; `sent` is what it would have sent back."""

    receiver: Receiver
    take: Take
    now: float = 100.0
    sent: list[bytes] = field(default_factory=list)

    def picture(self, number: int, payload: bytes, *, ssrc: int = 2001, at: int | None = None) -> None:
        timestamp = 3000 * number if at is None else at
        self._rtp(datagram(H264, number, timestamp, payload, ssrc=ssrc, wide=number))

    def again(self, number: int, payload: bytes) -> None:
        original = struct.pack("!H", number) + payload
        self._rtp(datagram(RTX, 500 + number, 3000 * number, original, ssrc=2002))

    def sound(self, number: int) -> None:
        self._rtp(datagram(OPUS, number, 960 * number, SOUND, ssrc=1001))

    def wait(self, seconds: float) -> None:
        """Ticks of 50 ms."""
        for _ in range(round(seconds / 0.05)):
            self.now += 0.05
            self.receiver.tick(self.now)
            self.sent += self.receiver.data_to_send()

    def heard(self, kind: str) -> int:
        """How often it was told something, since the last call of any."""
        count = kinds_of(self.sent).count(kind)
        self.sent.clear()
        return count

    def _rtp(self, data: bytes) -> None:
        self.receiver.rtp(data, self.now)
        self.sent += self.receiver.data_to_send()


def peer_of(text: str) -> Peer:
    take = Take(None, WhipRecorder())  # type: ignore[arg-type]
    receiver = Receiver(choose(read_offer(text)), take, own_ssrc=9, keyframe_seconds=1.5, now=100.0)
    return Peer(receiver, take)


@pytest.fixture
def peer() -> Peer:
    return peer_of(offer(sections=(VIDEO.replace("mid:1", "mid:0"),)))


def test_a_lost_packet_is_asked_for_at_once_and_again(peer: Peer) -> None:
    peer.picture(1, KEY)
    peer.picture(3, SLICE)
    assert kinds_of(peer.sent) == ["nack"]
    assert peer.sent[0] == bytes.fromhex("81cd0003 00000009 000007d1 00020000")
    peer.picture(4, SLICE)
    assert peer.heard("nack") == 1  # not again for every packet
    peer.wait(0.1)
    assert peer.heard("nack") == 1
    peer.again(2, SLICE)
    assert [packet.dts for packet in peer.take.packets][1:] == [peer.take.packets[0].dts + 3000 * n for n in (1, 2, 3)]
    peer.wait(0.2)
    assert peer.heard("nack") == 0
    assert peer.receiver.losses == 0


def test_a_packet_that_stays_lost_costs_the_group_and_asks_for_a_key(peer: Peer) -> None:
    peer.picture(1, KEY)
    for number in (3, 4):
        peer.picture(number, SLICE)
    peer.wait(VIDEO_WAIT_SECONDS + 0.05)
    assert len(peer.take.packets) == 1
    assert peer.receiver.losses == 1
    assert peer.heard("pli") == 1
    peer.wait(PLI_SECONDS + 0.05)
    assert peer.heard("pli") == 1  # it may have been lost too
    peer.picture(5, SLICE)
    peer.picture(6, KEY)
    peer.picture(7, SLICE)
    assert [packet.keyframe for packet in peer.take.packets] == [True, True, False]
    peer.wait(PLI_SECONDS + 0.05)
    assert peer.heard("pli") == 0


def test_key_frames_are_asked_for_in_time(peer: Peer) -> None:
    peer.picture(1, KEY)
    peer.wait(1.4)
    assert peer.heard("pli") == 0
    peer.wait(0.15)
    assert peer.heard("pli") == 1
    peer.picture(2, KEY)
    peer.wait(1.4)
    assert peer.heard("pli") == 0
    peer.wait(10)
    assert 6 <= peer.heard("pli") <= 7  # a peer that gives none is asked on, but not flooded


def test_a_stream_that_begins_without_a_key_frame(peer: Peer) -> None:
    peer.picture(1, SLICE)
    peer.wait(PLI_SECONDS + 0.05)
    assert peer.heard("pli") == 1
    assert peer.take.packets == []


def test_overtaken_packets_come_in_order_and_numbers_wrap(peer: Peer) -> None:
    for number in (65_534, 65_536, 65_535, 65_537):
        peer.picture(number, KEY)
    steps = [packet.dts - peer.take.packets[0].dts for packet in peer.take.packets]
    assert steps == [0, 3000, 6000, 9000]


def test_a_new_size_is_a_new_track(peer: Peer) -> None:
    peer.picture(1, KEY)
    peer.picture(2, stap([NEW_SPS, NEW_PPS, IDR]))
    assert len(peer.take.tracks) == 2
    assert peer.take.packets[1].track is peer.take.tracks[1]


def test_another_stream_takes_the_place(peer: Peer) -> None:
    peer.picture(1, KEY)
    peer.now += 0.5
    peer.picture(30_000, KEY, ssrc=77, at=5)
    peer.picture(30_001, SLICE, ssrc=77, at=3005)
    assert len(peer.take.packets) == 3
    assert peer.take.packets[2].dts - peer.take.packets[1].dts == 3000
    assert len(peer.take.tracks) == 2  # told again: the packets that follow name this one


def test_a_peer_that_begins_a_stream_with_every_packet_is_told_of_once(peer: Peer) -> None:
    with capture_logs() as said:
        for number in range(50):
            peer.picture(number, KEY, ssrc=100 + number)
    assert [one["event"] for one in said] == ["whip_stream_replaced"]
    assert len(peer.take.packets) == 50


def test_b_frames_are_refused(peer: Peer) -> None:
    peer.picture(0, KEY, at=0)
    times = [9000 * group + at for group in range(30) for at in (9000, 3000, 6000)]  # P B B, and so on

    def send_all() -> None:
        for n, at in enumerate(times):
            peer.picture(n + 1, SLICE, at=at)

    with pytest.raises(UnsupportedMedia, match="B-frames"):
        send_all()
    assert len(peer.take.packets) < 30


def test_one_odd_stamp_is_not_taken_for_b_frames(peer: Peer) -> None:
    peer.picture(0, KEY, at=0)
    for n in range(1, 200):
        peer.picture(n, SLICE, at=3000 * n if n % 20 else 3000 * n - 4000)
    assert len(peer.take.packets) == 200


def test_sound_waits_for_the_picture() -> None:
    peer = peer_of(offer())
    for number in range(10):
        peer.sound(number)
        peer.now += 0.02
    assert peer.take.packets == []
    peer.picture(1, KEY)
    peer.sound(10)
    kinds = [packet.track.kind for packet in peer.take.packets]
    assert kinds[0] == "video"
    first = peer.take.packets[0].dts / 90_000
    assert all(packet.dts / 48_000 >= first for packet in peer.take.of("audio"))
    assert kinds[-1] == "audio"


def test_sound_from_before_the_picture_that_comes_after_it_is_left_out() -> None:
    peer = peer_of(offer())
    peer.sound(0)
    peer.now += 0.09
    peer.picture(1, KEY)
    for number in range(1, 8):  # held up on the way: numbers 1 to 4 are older than the picture
        peer.sound(number)
    first = peer.take.packets[0].dts / 90_000
    sound = peer.take.of("audio")
    assert len(sound) == 3
    assert first < sound[0].dts / 48_000 < first + 0.02


def test_sound_does_not_wait_for_ever() -> None:
    peer = peer_of(offer())
    peer.sound(0)
    peer.wait(SOUND_WAIT_SECONDS + 0.05)
    peer.sound(1)
    assert [packet.track.kind for packet in peer.take.packets] == ["audio", "audio"]


def test_lost_sound_is_a_gap_in_time() -> None:
    peer = peer_of(offer(sections=(AUDIO,)))
    peer.sound(0)
    peer.sound(2)
    peer.wait(0.15)
    peer.sound(3)
    steps = [packet.dts - peer.take.packets[0].dts for packet in peer.take.packets]
    assert steps == [0, 1920, 2880]
    assert peer.heard("nack") == 0  # browsers do not send sound again


def test_reports_and_arrivals_are_sent_in_time(peer: Peer) -> None:
    for number in range(1, 43):
        peer.picture(number, KEY)
        peer.wait(0.05)
    sent = kinds_of(peer.sent)
    assert sent.count("report") == 2
    assert 19 <= sent.count("arrivals") <= 21


def test_reduced_size_only_where_it_is_allowed() -> None:
    peer = peer_of(offer(("a=rtcp-rsize\n", ""), sections=(VIDEO.replace("mid:1", "mid:0"),)))
    peer.picture(1, KEY)
    peer.picture(3, SLICE)
    assert peer.sent[0].startswith(bytes.fromhex("80c90001 00000009 81ca"))


@pytest.mark.parametrize("data", [b"", b"\x80", bytes(12), b"\xff" * 40])
def test_rubbish_is_counted(peer: Peer, data: bytes) -> None:
    peer.receiver.rtp(data, 100.0)
    peer.receiver.rtcp(data, 100.0)
    assert peer.receiver.malformed == 1


def test_unknown_payload_types_are_passed_over(peer: Peer) -> None:
    peer.receiver.rtp(datagram(96, 1, 1, KEY, ssrc=5), 100.0)
    assert peer.take.packets == []
