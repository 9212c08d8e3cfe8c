"""Writes the answer to an offer (RFC 9429 §5.3, RFC 9725 §4.2): receive what was taken, reject the rest."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ingest.whip.choice import MID, TRANSPORT_WIDE, Choice, Taken
from ingest.whip.offer import Section

_KEPT_FEEDBACK = ("nack", "nack pli")


@dataclass(frozen=True, slots=True)
class Local:
    """Our side of the transport; `candidates` as after `a=candidate:`, `setup` is active or passive."""

    username: str
    password: str = field(repr=False)
    candidates: Sequence[str]
    fingerprint: tuple[str, str]
    setup: str
    session: int
    """A number of the answer's own, for its origin line."""
    start_kbps: int = 0
    """Where the sender should begin, for those that listen to it; 0 says nothing."""


def write_answer(choice: Choice, local: Local) -> str:
    """The whole session description."""
    taken = [one for section in choice.offer.sections if (one := choice.of(section))]
    lines = [
        "v=0",
        f"o=- {local.session} 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE " + " ".join(one.section.mid for one in taken),
        "a=msid-semantic: WMS *",
    ]
    candidates = True  # only the first section needs them: all go over one transport
    for section in choice.offer.sections:
        one = choice.of(section)
        if one is None:
            lines += _rejected(section)
            continue
        lines += _received(one, choice, local)
        if candidates:
            lines += [f"a=candidate:{candidate}" for candidate in local.candidates] + ["a=end-of-candidates"]
            candidates = False
    return "\r\n".join(lines) + "\r\n"


def _rejected(section: Section) -> list[str]:
    return [
        f"m={section.kind} 0 {section.protocol} {' '.join(section.formats)}",
        "c=IN IP4 0.0.0.0",
        "a=inactive",
        f"a=mid:{section.mid}",
    ]


def _received(taken: Taken, choice: Choice, local: Local) -> list[str]:
    section, codec = taken.section, taken.codec
    number = codec.payload_type
    formats = [number] if taken.retransmission is None else [number, taken.retransmission]
    lines = [
        f"m={section.kind} 9 {section.protocol} {' '.join(map(str, formats))}",
        "c=IN IP4 0.0.0.0",
        "a=rtcp:9 IN IP4 0.0.0.0",
        f"a=ice-ufrag:{local.username}",
        f"a=ice-pwd:{local.password}",
        f"a=fingerprint:{local.fingerprint[0]} {local.fingerprint[1]}",
        f"a=setup:{local.setup}",
        f"a=mid:{section.mid}",
        "a=recvonly",
        "a=rtcp-mux",
    ]
    if section.reduced_size:
        lines.append("a=rtcp-rsize")
    wanted = (MID, TRANSPORT_WIDE) if choice.transport_extension else (MID,)
    lines += [f"a=extmap:{section.extensions[uri]} {uri}" for uri in wanted if uri in section.extensions]
    return lines + _codec(taken, choice, local.start_kbps)


def _codec(taken: Taken, choice: Choice, start_kbps: int) -> list[str]:
    codec = taken.codec
    number = codec.payload_type
    video = taken.section.kind == "video"
    feedback = [one for one in codec.feedback if video and one in _KEPT_FEEDBACK]
    if choice.transport_extension and "transport-cc" in codec.feedback:
        feedback.append("transport-cc")
    lines = [f"a=rtpmap:{number} {'H264/90000' if video else 'opus/48000/2'}"]
    lines += [f"a=rtcp-fb:{number} {one}" for one in feedback]
    if video:
        kept = ("level-asymmetry-allowed", "packetization-mode", "profile-level-id")
        told = [f"{name}={codec.parameters[name]}" for name in kept if name in codec.parameters]
        told += [f"x-google-start-bitrate={start_kbps}"] if start_kbps and choice.transport_extension else []
        lines.append(f"a=fmtp:{number} {';'.join(told)}")
    else:
        lines.append(f"a=fmtp:{number} minptime=10;stereo=1;useinbandfec=1")
    if taken.retransmission is not None:
        lines += [f"a=rtpmap:{taken.retransmission} rtx/90000", f"a=fmtp:{taken.retransmission} apt={number}"]
    return lines
