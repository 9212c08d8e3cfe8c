"""What is read of an offer, what is taken of it, what is refused, and the answer."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.whip.answer import Local, write_answer
from ingest.whip.choice import NotAcceptable, UnsupportedCodec, choose
from ingest.whip.offer import BadOffer, read_fragment, read_offer
from tests.ingest.whip.offers import AUDIO, FINGERPRINT, PASSWORD, UFRAG, VIDEO, offer

LOCAL = Local(
    username="mine",
    password="x" * 22,
    candidates=["1 1 udp 2130706431 127.0.0.1 5000 typ host"],
    fingerprint=("sha-256", "AA:BB"),
    setup="passive",
    session=7,
    start_kbps=2500,
)


def test_what_chromium_offers() -> None:
    read = read_offer(offer())
    assert (read.ice.username, read.ice.password, read.setup) == (UFRAG, PASSWORD, "actpass")
    assert read.fingerprints == (tuple(FINGERPRINT.split()),)
    assert read.bundle == ("0", "1")
    choice = choose(read)
    assert choice.video is not None
    assert choice.audio is not None
    assert (choice.video.codec.payload_type, choice.video.retransmission) == (104, 105)  # the first it can take
    assert choice.video.section.ssrcs == (2001, 2002)
    assert choice.audio.codec.payload_type == 111
    assert choice.transport_extension == 3


def test_the_answer() -> None:
    lines = write_answer(choose(read_offer(offer())), LOCAL).split("\r\n")
    assert lines[0] == "v=0"
    assert "a=group:BUNDLE 0 1" in lines
    assert "m=audio 9 UDP/TLS/RTP/SAVPF 111" in lines
    assert "m=video 9 UDP/TLS/RTP/SAVPF 104 105" in lines
    assert lines.count("a=recvonly") == lines.count("a=setup:passive") == lines.count("a=ice-ufrag:mine") == 2
    assert lines.count("a=candidate:1 1 udp 2130706431 127.0.0.1 5000 typ host") == 1
    assert [line for line in lines if line.startswith("a=rtcp-fb:104")] == [
        "a=rtcp-fb:104 nack",
        "a=rtcp-fb:104 nack pli",
        "a=rtcp-fb:104 transport-cc",
    ]
    fmtp = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=64001f;x-google-start-bitrate=2500"
    assert f"a=fmtp:104 {fmtp}" in lines
    assert read_offer("\r\n".join(lines)).sections[1].direction == "recvonly"  # what we write we can read


def test_a_section_that_sends_nothing_is_rejected_in_the_answer() -> None:
    data = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:2\na=sctp-port:5000\n"
    answer = write_answer(choose(read_offer(offer(sections=(AUDIO, VIDEO, data)))), LOCAL)
    assert "m=application 0 UDP/DTLS/SCTP webrtc-datachannel" in answer
    idle = VIDEO.replace("a=sendonly", "a=recvonly")
    answer = write_answer(choose(read_offer(offer(sections=(AUDIO, idle)))), LOCAL)
    assert "a=group:BUNDLE 0\r\n" in answer
    assert "m=video 0 " in answer


@pytest.mark.parametrize("group", ["", "FID", "FID x", "SIM 2001 2002"])
def test_a_group_of_streams_that_says_nothing_is_passed_over(group: str) -> None:
    read = read_offer(offer(("a=ssrc-group:FID 2001 2002", f"a=ssrc-group:{group}")))
    assert read.sections[1].ssrcs == (2001, 2002), "as the streams are named themselves"


def test_without_transport_wide_feedback_none_is_asked_for() -> None:
    choice = choose(read_offer(offer(("a=rtcp-fb:104 transport-cc\n", ""), ("a=rtcp-fb:111 transport-cc\n", ""))))
    assert choice.transport_extension == 0
    assert "transport-" not in write_answer(choice, LOCAL)


@pytest.mark.parametrize(
    ("changes", "codec"),
    [
        ([("H264/90000", "H265/90000")], "vp8, h265"),
        ([("packetization-mode=1", "packetization-mode=0")], "vp8, h264"),
        ([("profile-level-id=64001f", "profile-level-id=f4001f"), ("42e01f", "7a001f")], "vp8, h264"),
        ([("64001f", "nothex"), ("42e01f", "42e01f00")], "vp8, h264"),
        ([("opus/48000/2", "PCMU/8000")], "pcmu"),
    ],
)
def test_codecs_that_are_not_ours(changes: list[tuple[str, str]], codec: str) -> None:
    with pytest.raises(UnsupportedCodec) as refused:
        choose(read_offer(offer(*changes)))
    assert refused.value.codec == codec


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (offer(("a=sendonly", "a=inactive")), "neither"),
        (offer(("a=group:BUNDLE 0 1", "a=group:BUNDLE 0")), "bundled"),
        (offer(("a=rtcp-mux\n", "")), "RTCP"),
        (offer(sections=(AUDIO, AUDIO.replace("a=mid:0", "a=mid:1"))), "Only one"),
        (offer(("104", "111")), "payload type"),
    ],
)
def test_what_is_sound_but_cannot_be_taken(text: str, told: str) -> None:
    with pytest.raises(NotAcceptable) as refused:
        choose(read_offer(text))
    assert told in refused.value.reason


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "v=0\r\n",
        offer(("a=mid:1", "a=mid:0")),
        offer(("a=mid:1\n", "")),
        offer((f"a=ice-pwd:{PASSWORD}", "a=ice-pwd:short")),
        offer((f"a=ice-ufrag:{UFRAG}\n", "")),
        offer((f"a=fingerprint:{FINGERPRINT}\n", "")),
        offer(("a=setup:actpass", "a=setup:holdconn")),
        offer(("m=video 9 UDP/TLS/RTP/SAVPF 96", "m=video nine")),
        offer(("t=0 0", "no line")),
        "v=0\r\n" + "m=audio 9 X 1\r\n" * 17,
        "v=0\r\n" + "a=x\r\n" * 4001,
    ],
)
def test_what_breaks_the_rules(text: str) -> None:
    with pytest.raises(BadOffer):
        read_offer(text)


def test_a_fragment() -> None:
    fragment = read_fragment(
        f"a=ice-ufrag:{UFRAG}\r\na=ice-pwd:{PASSWORD}\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n"
        "a=candidate:1 1 udp 1 192.0.2.1 6 typ host\r\na=end-of-candidates\r\n"
    )
    assert (fragment.username, fragment.password) == (UFRAG, PASSWORD)
    assert fragment.candidates == ("1 1 udp 1 192.0.2.1 6 typ host",)


_LINES = offer().split("\r\n")


@given(st.lists(st.one_of(st.sampled_from(_LINES), st.text(max_size=40)), max_size=60))
def test_no_text_does_any_harm(lines: list[str]) -> None:
    with suppress(BadOffer, NotAcceptable):
        choose(read_offer("v=0\r\n" + "\r\n".join(lines)))
