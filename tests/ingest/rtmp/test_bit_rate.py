"""The limits of what a publish sends, by a clock that is moved by hand."""

from ingest.rtmp.bit_rate import BitRate, Judgement
from ingest.rtmp.connection import RtmpConnection
from ingest.rtmp.events import EndReason, Event, PublishEnded, Warned
from ingest.rtmp.limits import BitRateLimits
from tests.ingest.rtmp.publisher import Publisher, accepted
from tests.kit import rtmp_bytes as wire

LIMITS = BitRateLimits(soft_megabits=8, warn_seconds=10, hard_factor=2, burst_seconds=5)  # 1 MB a second, 2 MB
STEP_SECONDS = 0.025


def judged(rate: BitRate, begin: float, seconds: float, bytes_a_second: int) -> dict[Judgement, list[float]]:
    """When each judgement came, in seconds from `begin`."""
    found: dict[Judgement, list[float]] = {judgement: [] for judgement in Judgement}
    for step in range(1, round(seconds / STEP_SECONDS) + 1):
        at = step * STEP_SECONDS
        found[rate.count(round(bytes_a_second * STEP_SECONDS), begin + at)].append(at)
    return found


def test_below_the_limit_nothing_is_said_for_an_hour() -> None:
    found = judged(BitRate(LIMITS, 0.0), 0.0, 3600, 990_000)
    assert not found[Judgement.HIGH]
    assert not found[Judgement.TOO_HIGH]


def test_above_the_soft_limit_it_is_said_once_and_again_after_a_rest() -> None:
    rate = BitRate(LIMITS, 0.0)
    (at,) = judged(rate, 0.0, 60, 1_900_000)[Judgement.HIGH]
    assert 10 < at < 12
    assert not judged(rate, 60.0, 120, 500_000)[Judgement.HIGH]
    (at,) = judged(rate, 180.0, 60, 1_900_000)[Judgement.HIGH]
    assert 10 < at < 12


def test_above_the_hard_limit_it_ends_in_its_time() -> None:
    found = judged(BitRate(LIMITS, 0.0), 0.0, 6, 4_000_000)
    assert 4.5 < found[Judgement.TOO_HIGH][0] < 5.5


def test_a_burst_after_an_outage_fits() -> None:
    """An encoder that was cut off for five seconds sends its queue at once."""
    rate = BitRate(LIMITS, 0.0)
    judged(rate, 0.0, 60, 800_000)
    assert rate.count(5 * 800_000, 65.0) is Judgement.FINE


def test_without_a_limit_anything_goes() -> None:
    rate = BitRate(BitRateLimits(), 0.0)
    assert {rate.count(1 << 30, 0.0) for _ in range(10)} == {Judgement.FINE}


def test_the_encoder_is_warned_and_then_ended() -> None:
    publisher = Publisher()
    publisher.connection = RtmpConnection(publisher.now, bit_rate=LIMITS, random=bytes(1528))
    accepted(publisher)
    publisher.media(wire.VIDEO, wire.avc_configuration())
    frame = wire.avc_frame(b"\0\0\0\x02\x65\x88" * 32_000, key=True)  # 192 kB
    events: list[Event] = []
    said: list[tuple[object, object]] = []
    for number in range(400):
        publisher.now += 0.1 if number < 150 else 0.02
        events += [one for one in publisher.media(wire.VIDEO, frame, number * 100) if not hasattr(one, "packet")]
        said += publisher.statuses()
        if publisher.connection.closed:
            break
    warned, ended = events
    assert isinstance(warned, Warned)
    assert (warned.code, warned.facts) == ("bit_rate_high", {"limit_kbps": 8000})
    assert ended == PublishEnded(EndReason.BROKE_RULES)
    assert said == [
        ("NetStream.Publish.Warning", warned.description),
        ("NetStream.Publish.Failed", "more than 16 Mbit/s."),
    ]
    assert "more than 16 Mbit/s" in str(publisher.connection.error)
