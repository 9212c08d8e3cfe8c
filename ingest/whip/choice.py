"""What is taken of an offer: H.264 and Opus, one track of each at most, all over one transport.

Rule: all or nothing (RFC 9725 §4.4.3): an offer of which a section cannot be taken is refused whole, so that nobody
broadcasts a class without its sound.
"""

from dataclasses import dataclass

from ingest.whip.offer import Codec, Offer, Section

TRANSPORT_WIDE = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
_PROFILES = frozenset((0x42, 0x4D, 0x58, 0x64))  # baseline, main, extended, high: 4:2:0 of 8 bits, which all play


class NotAcceptable(Exception):  # noqa: N818 - a no with its reason, as a Refusal is
    """The offer is sound but cannot be taken; `reason` is for its sender."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnsupportedCodec(NotAcceptable):
    """A section has no codec of ours; `codec` says what it had."""

    def __init__(self, codec: str, reason: str) -> None:
        super().__init__(reason)
        self.codec = codec


@dataclass(frozen=True, slots=True)
class Taken:
    """One section and the codec taken of it; `retransmission` is the payload type of what is sent again."""

    section: Section
    codec: Codec
    retransmission: int | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """`transport_extension` is the id of the transport-wide number, 0 when it was not offered."""

    offer: Offer
    video: Taken | None
    audio: Taken | None
    transport_extension: int = 0

    def of(self, section: Section) -> Taken | None:
        """What was taken of a section, if anything was."""
        return next((one for one in (self.video, self.audio) if one and one.section is section), None)


def choose(offer: Offer) -> Choice:
    """Raises NotAcceptable, UnsupportedCodec."""
    sending = [section for section in offer.sections if section.kind in ("audio", "video") and section.sends]
    videos, audios = ([s for s in sending if s.kind == kind] for kind in ("video", "audio"))
    if not sending:
        raise NotAcceptable("The offer sends neither picture nor sound.")
    if len(videos) > 1 or len(audios) > 1:
        raise NotAcceptable("Only one picture and one sound can be published.")
    if any(s.mid not in offer.bundle for s in sending) and len(sending) > 1:
        raise NotAcceptable("Picture and sound must be bundled (a=group:BUNDLE).")
    if not all(section.rtcp_mux for section in sending):
        raise NotAcceptable("RTCP must be multiplexed (a=rtcp-mux).")
    video, audio = (_video(videos[0]) if videos else None), (_audio(audios[0]) if audios else None)
    used = [n for t in (video, audio) if t for n in (t.codec.payload_type, t.retransmission) if n is not None]
    if len(set(used)) != len(used):
        raise NotAcceptable("Bundled sections use the same payload type.")
    numbers = {taken.section.extensions.get(TRANSPORT_WIDE, 0) for taken in (video, audio) if taken}
    feedback = [taken for taken in (video, audio) if taken and "transport-cc" in taken.codec.feedback]
    return Choice(offer, video, audio, max(numbers) if feedback and len(numbers - {0}) == 1 else 0)


def _video(section: Section) -> Taken:
    for codec in section.codecs:
        if codec.name == "h264" and codec.rate == 90_000 and _packs(codec) and _profile(codec) in _PROFILES:
            again = [
                one.payload_type
                for one in section.codecs
                if one.name == "rtx" and one.parameters.get("apt") == str(codec.payload_type)
            ]
            return Taken(section, codec, again[0] if again else None)
    raise UnsupportedCodec(_offered(section), "The picture must be H.264 (packetization-mode 1, up to High profile).")


def _audio(section: Section) -> Taken:
    for codec in section.codecs:
        if codec.name == "opus" and codec.rate == 48_000:
            return Taken(section, codec)
    raise UnsupportedCodec(_offered(section), "The sound must be Opus.")


def _packs(codec: Codec) -> bool:
    return codec.parameters.get("packetization-mode", "0") == "1"


def _profile(codec: Codec) -> int | None:
    """profile_idc of profile-level-id (RFC 6184 §8.1; baseline when it is not told)."""
    text = codec.parameters.get("profile-level-id", "42000a")
    try:
        return int(text, 16) >> 16 if len(text) == 6 else None
    except ValueError:
        return None


def _offered(section: Section) -> str:
    names = dict.fromkeys(codec.name for codec in section.codecs if codec.name not in ("rtx", "red", "ulpfec"))
    return ", ".join(list(names)[:8]) or section.protocol[:40]
