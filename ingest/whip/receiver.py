"""What one peer sends, datagram by datagram, to its sink; and what it is told by RTCP. Pure: no sockets, no clock.

Feed `rtp` and `rtcp` with what came, decrypted, and `tick` every TICK_SECONDS; send what `data_to_send` gives. Nothing
is decoded. Sound waits for the picture's first key frame, so that both begin together.
"""

from collections.abc import Iterable

import structlog

from ingest.whip import rtcp, rtp
from ingest.whip.arrivals import Arrivals
from ingest.whip.choice import Choice, Taken
from ingest.whip.counters import Unwrapper
from ingest.whip.depacketize import OPUS_TRACK, AccessUnit, H264Depacketizer, opus_packet
from ingest.whip.media_clock import Kind, MediaClock
from ingest.whip.ordering import Ordering
from ingest.whip.reception import Reception
from ingest.whip.rtp import RtpPacket
from ingest.whip.sink import PublishSink
from media.malformed import MalformedMedia
from media.packet import VIDEO_TIMESCALE, Packet, Track

log = structlog.get_logger()

TICK_SECONDS = 0.05
FEEDBACK_SECONDS = 0.1
REPORT_SECONDS = 1.0
VIDEO_WAIT_SECONDS = 0.4
"""How long a lost packet of the picture may take to come again: a round trip to the far end of a bad line."""
AUDIO_WAIT_SECONDS = 0.1
"""Sound is not sent again by browsers: this is for packets that overtook one another."""
NACK_SECONDS = 0.08
MAX_NACK = 256
PLI_SECONDS = 0.4
"""Between requests for a key frame that is needed; browsers make no more than one in 0.3 s."""
SOUND_WAIT_SECONDS = 3.0
"""How long sound waits for the first picture; then it goes on alone."""
BACKWARD_WEIGHT, MAX_BACKWARD = 8, 32
"""A picture whose time runs back weighs as much as eight that go forward make good: B-frames are found in a second, one
odd stamp is forgotten.
"""
NAME = "lectern"


class _Stream:
    """One RTP stream: its order, its numbers, how well it is received."""

    def __init__(self, kind: Kind, ssrc: int, rate: int) -> None:
        self.kind: Kind = kind
        self.ssrc = ssrc
        self.unwrap = Unwrapper(16)
        self.ordering = Ordering(VIDEO_WAIT_SECONDS if kind == "video" else AUDIO_WAIT_SECONDS)
        self.reception = Reception(ssrc, rate)
        self.nacked_at = float("-inf")


class UnsupportedMedia(Exception):  # noqa: N818 - not an error of ours
    """The peer sends what cannot be packaged; `codec` and `reason` as for the sink."""

    def __init__(self, codec: str, reason: str) -> None:
        super().__init__(reason)
        self.codec = codec
        self.reason = reason


class Receiver:
    """`own_ssrc` is ours in reports. `rtp` and `tick` raise UnsupportedMedia; the publish is over then."""

    def __init__(
        self, choice: Choice, sink: PublishSink, *, own_ssrc: int, keyframe_seconds: float, now: float
    ) -> None:
        self.media_at: float | None = None
        """When the sink was last given a packet."""
        self.malformed = 0
        self._choice = choice
        self._sink = sink
        self._own = own_ssrc
        self._keyframe_seconds = keyframe_seconds
        self._clock = MediaClock()
        self._arrivals = Arrivals() if choice.transport_extension else None
        self._streams: dict[Kind, _Stream] = {}
        self._replaced: set[Kind] = set()
        self._pictures = H264Depacketizer()
        self._tracks: dict[Kind, Track] = {}
        self._held_sound: list[Packet] | None = [] if choice.video and choice.audio else None
        self._sound_waits_until = now + SOUND_WAIT_SECONDS
        self._sound_from = 0  # in its ticks: where the picture began
        self._key_at = now
        self._pli_at = float("-inf")
        self._picture_at: int | None = None
        self._backward = 0
        self._feedback_at = self._report_at = now
        self._out: list[bytes] = []

    @property
    def losses(self) -> int:
        """Holes in the picture's packets that nothing filled."""
        return self._pictures.losses

    def data_to_send(self) -> list[bytes]:
        """RTCP packets, not yet encrypted."""
        out, self._out = self._out, []
        return out

    def rtp(self, data: bytes, now: float) -> None:
        """One decrypted RTP packet."""
        try:
            packet = rtp.parse(data, self._choice.transport_extension)
        except MalformedMedia:
            self.malformed += 1
            return
        if packet.transport_sequence is not None and self._arrivals is not None:
            self._arrivals.saw(packet.transport_sequence, now)
        video, audio = self._choice.video, self._choice.audio
        if video and packet.payload_type == video.codec.payload_type:
            self._accept(video, "video", packet, now)
        elif audio and packet.payload_type == audio.codec.payload_type:
            self._accept(audio, "audio", packet, now)
        elif video and packet.payload_type == video.retransmission and "video" in self._streams:
            stream = self._streams["video"]
            again = rtp.unwrap_retransmission(packet, video.codec.payload_type, stream.ssrc)
            if again is not None:
                self._deliver(stream, stream.ordering.add(stream.unwrap(again.sequence), again, now), now)

    def rtcp(self, data: bytes, now: float) -> None:
        """One decrypted RTCP packet."""
        for item in rtcp.read(data):
            if isinstance(item, rtcp.Goodbye):
                for kind, stream in list(self._streams.items()):
                    if stream.ssrc in item.ssrcs:
                        del self._streams[kind]
                continue
            for stream in self._streams.values():
                if stream.ssrc == item.ssrc:
                    stream.reception.sender_report(item.ntp, now)
                    self._clock.report(stream.kind, item.ntp, item.timestamp)

    def tick(self, now: float) -> None:
        """Gives up what is too late, and says what is due."""
        for stream in list(self._streams.values()):
            if stream.ordering.holding:
                self._deliver(stream, stream.ordering.expire(now), now)
                if stream.kind == "video":
                    self._ask_again(stream, now)
        if self._held_sound is not None and now >= self._sound_waits_until:
            self._release_sound()
        self._ask_for_key(now)
        if self._arrivals is not None and now - self._feedback_at >= FEEDBACK_SECONDS - TICK_SECONDS / 2:
            self._feedback_at = now
            if feedback := self._arrivals.report():
                self._send(rtcp.transport_wide(self._own, self._media_ssrc(), feedback))
        if now - self._report_at >= REPORT_SECONDS:
            self._report_at = now
            blocks = [block for s in self._streams.values() if (block := s.reception.block(now))]
            self._out.append(rtcp.receiver_report(self._own, blocks, NAME))

    def _accept(self, taken: Taken, kind: Kind, packet: RtpPacket, now: float) -> None:
        stream = self._streams.get(kind)
        if stream is None or stream.ssrc != packet.ssrc:
            if stream is not None and kind not in self._replaced:
                self._replaced.add(kind)  # once is told: a peer may begin a stream with every packet
                log.info("whip_stream_replaced", kind=kind)
            stream = self._begin(taken, kind, packet.ssrc, now)
        number = stream.unwrap(packet.sequence)
        stream.reception.heard(number, packet.timestamp, now)
        self._deliver(stream, stream.ordering.add(number, packet, now), now)
        if kind == "video" and stream.ordering.holding:
            self._ask_again(stream, now)

    def _begin(self, taken: Taken, kind: Kind, ssrc: int, now: float) -> _Stream:
        """The first stream of a kind, or one that takes another's place, with numbers and a clock of its own."""
        stream = self._streams[kind] = _Stream(kind, ssrc, taken.codec.rate)
        self._clock.restart(kind)
        if kind == "video":
            self._pictures = H264Depacketizer()
            self._picture_at = None
            self._pli_at = now  # a stream begins with a key frame: it is on its way
        return stream

    def _deliver(self, stream: _Stream, ready: Iterable[tuple[int, RtpPacket]], now: float) -> None:
        for number, packet in ready:
            if stream.kind == "audio":
                self._sound(packet, now)
                continue
            whole = self._pictures.awaits_keyframe
            for picture in self._pictures.push(number, packet.timestamp, packet.payload, marker=packet.marker):
                self._picture(picture, now)
            if self._pictures.awaits_keyframe and not whole:
                self._ask_for_key(now)

    def _picture(self, picture: AccessUnit, now: float) -> None:
        self._check_order(picture.timestamp)
        if picture.keyframe:
            self._key_at = now
        dts = self._clock.place("video", picture.timestamp, now)
        self._tell(picture.track)
        self.media_at = now
        self._sink.packet(Packet(picture.track, dts, dts, picture.keyframe, picture.data))
        if self._held_sound is not None:
            self._sound_from = -(-dts * OPUS_TRACK.timescale // VIDEO_TIMESCALE)
            self._release_sound()

    def _sound(self, packet: RtpPacket, now: float) -> None:
        if not packet.payload:
            return
        try:
            data = opus_packet(packet.payload)
        except MalformedMedia:
            self.malformed += 1
            return
        dts = self._clock.place("audio", packet.timestamp, now)
        whole = Packet(OPUS_TRACK, dts, dts, True, data)
        if self._held_sound is not None:
            self._held_sound.append(whole)
            return
        self.media_at = now
        self._hand_on_sound(whole)

    def _release_sound(self) -> None:
        held, self._held_sound = self._held_sound or [], None
        for packet in held:
            self._hand_on_sound(packet)

    def _hand_on_sound(self, packet: Packet) -> None:
        """Sound of before the first picture, also if it comes after it, is left out: nothing begins there."""
        if packet.dts >= self._sound_from:
            self._tell(OPUS_TRACK)
            self._sink.packet(packet)

    def _tell(self, track: Track) -> None:
        if self._tracks.get(track.kind) is not track:
            self._tracks[track.kind] = track
            self._sink.track(track)

    def _check_order(self, timestamp: int) -> None:
        """RTP tells when a picture is shown, not when it is decoded: with B-frames that is not enough."""
        last, self._picture_at = self._picture_at, timestamp
        forward = last is None or (timestamp - last) & 0xFFFFFFFF < 1 << 31
        self._backward = max(0, self._backward - 1) if forward else self._backward + BACKWARD_WEIGHT
        if self._backward > MAX_BACKWARD:
            raise UnsupportedMedia("h264", "B-frames cannot be published by WHIP: set the encoder to none.")

    def _ask_again(self, stream: _Stream, now: float) -> None:
        """NACK, at once and again while the hole is there."""
        if now - stream.nacked_at < NACK_SECONDS or not self._may_nack():
            return
        if missing := stream.ordering.missing(MAX_NACK):
            stream.nacked_at = now
            self._send(rtcp.losses(self._own, stream.ssrc, missing))

    def _may_nack(self) -> bool:
        return self._choice.video is not None and "nack" in self._choice.video.codec.feedback

    def _ask_for_key(self, now: float) -> None:
        """PLI, when a key frame is needed and when the last is old enough for the next."""
        stream = self._streams.get("video")
        if stream is None:
            return
        needed = self._pictures.awaits_keyframe and now - self._pli_at >= PLI_SECONDS
        due = now - max(self._key_at, self._pli_at) >= self._keyframe_seconds
        if needed or due:
            self._pli_at = now
            self._send(rtcp.picture_loss(self._own, stream.ssrc))

    def _media_ssrc(self) -> int:
        stream = self._streams.get("video") or self._streams.get("audio")
        return stream.ssrc if stream else 0

    def _send(self, packet: bytes) -> None:
        """Feedback alone where the peer allows it (RFC 5506), else behind an empty report."""
        taken = self._choice.video or self._choice.audio
        reduced = taken is not None and taken.section.reduced_size
        self._out.append(packet if reduced else rtcp.receiver_report(self._own, [], NAME) + packet)
