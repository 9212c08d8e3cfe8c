"""The gate with a delay and without, closed and opened: nothing passes that should not, nothing is lost."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.events import Part, SegmentClosed, SegmentOpened
from ingest.release_gate import GatedEvent, ReleaseGate


def segment(serial: int, parts: int = 2) -> list[GatedEvent]:
    made = [Part(serial, n, serial * 100 + n * 10, 10, n == 0, b"%d.%d" % (serial, n), None) for n in range(parts)]
    return [SegmentOpened(serial, 1, serial * 100, False), *made, SegmentClosed(serial, 10 * parts)]


def test_without_a_delay_everything_passes_at_once() -> None:
    gate = ReleaseGate()
    events = segment(0) + segment(1)
    assert gate.offer(events, now=5.0).public == events
    assert gate.next_deadline() is None


def test_a_delay_holds_everything_for_its_time_and_in_order() -> None:
    gate = ReleaseGate(30)
    assert gate.offer(segment(0), now=100.0).public == []
    assert gate.next_deadline() == 130.0
    assert gate.offer(segment(1), now=110.0).public == []
    assert gate.release(129.9).public == []
    assert gate.release(130.0).public == segment(0)
    assert gate.release(1000.0).public == segment(1)


def test_a_cut_ends_the_audiences_segment_with_what_they_have() -> None:
    gate = ReleaseGate()
    opened, first, second, closed = segment(7)
    gate.offer([opened, first], now=0.0)
    passage = gate.cut()
    assert passage.public == [SegmentClosed(7, 10)]
    assert passage.evidence == []
    assert gate.is_cut
    after = gate.offer([second, closed, *segment(8)], now=1.0)
    assert after.public == []
    assert after.evidence == [second, closed, *segment(8)]


def test_a_cut_keeps_what_was_still_held() -> None:
    gate = ReleaseGate(30)
    opened, first, second, closed = segment(0)
    gate.offer([opened, first], now=0.0)
    gate.offer([second, closed], now=10.0)
    assert gate.release(30.0).public == [opened, first]
    passage = gate.cut()
    assert passage.public == [SegmentClosed(0, 10)]
    assert passage.evidence == [second, closed]
    assert gate.release(1000.0).public == []


def test_the_audience_goes_on_at_the_next_segment_behind_a_discontinuity() -> None:
    gate = ReleaseGate()
    gate.cut()
    gate.offer(segment(0)[:2], now=0.0)
    gate.resume()
    rest = gate.offer(segment(0)[2:], now=1.0)
    assert (rest.public, len(rest.evidence)) == ([], 2)
    public = gate.offer(segment(1) + segment(2), now=2.0).public
    assert public == [SegmentOpened(1, 1, 100, True), *segment(1)[1:], *segment(2)]


def test_a_gate_may_begin_closed_and_orders_may_come_twice() -> None:
    gate = ReleaseGate(closed=True)
    assert gate.offer(segment(0), now=0.0).public == []
    assert gate.cut().public == gate.cut().public == []
    gate.resume()
    gate.resume()
    assert gate.offer(segment(1), now=0.0).public[1:] == segment(1)[1:]


@given(st.integers(0, 3), st.lists(st.sampled_from(["event", "event", "event", "cut", "resume", "wait"]), max_size=60))
def test_every_event_goes_one_way_once(delay: int, moves: list[str]) -> None:
    """Whatever is cut and resumed: public and evidence together are what was offered, each in order, and public is
    whole.
    """
    gate, now = ReleaseGate(delay), 0.0
    offered = [event for serial in range(30) for event in segment(serial)]
    source = iter(offered)
    given_in: list[GatedEvent] = []
    public: list[GatedEvent] = []
    evidence: list[GatedEvent] = []
    for move in [*moves, "wait", "wait", "wait", "wait"]:
        now += 1.0
        if move == "event":
            event = next(source)
            given_in.append(event)
            passage = gate.offer([event], now)
        elif move == "cut":
            passage = gate.cut()
        else:
            if move == "resume":
                gate.resume()
            passage = gate.release(now)
        public += passage.public
        evidence += passage.evidence
    parts = [event for event in public + evidence if isinstance(event, Part)]
    assert sorted(parts, key=lambda p: (p.serial, p.index)) == [e for e in given_in if isinstance(e, Part)]
    open_serial = None
    for event in public:
        if isinstance(event, SegmentOpened):
            assert open_serial is None
            open_serial = event.serial
        else:
            assert open_serial == event.serial
            if isinstance(event, SegmentClosed):
                open_serial = None


def test_a_gate_that_is_no_longer_trusted_lets_nothing_out_until_it_is() -> None:
    gate = ReleaseGate(5, trusted_until=2.0)
    assert gate.offer(segment(0), now=0.0).public == []
    assert gate.is_frozen(2.1)
    assert gate.release(5.0).public == []
    gate.trust(4.9)
    assert gate.release(5.0).public == [], "trust ends at an instant, not at the next look"
    gate.trust(7.0)
    assert gate.release(5.0).public == segment(0)
    gate.trust(6.0)
    assert not gate.is_frozen(7.0), "an older proof takes nothing back"


def test_what_was_frozen_can_be_cut() -> None:
    gate = ReleaseGate(5, trusted_until=2.0)
    gate.offer(segment(0), now=0.0)
    assert gate.release(60.0).public == []
    assert gate.cut().evidence == segment(0)
    gate.trust(100.0)
    assert gate.release(60.0).public == []


def test_a_gate_without_a_reviewer_never_freezes() -> None:
    gate = ReleaseGate()
    assert gate.offer(segment(0), now=1e9).public == segment(0)
    assert not gate.is_frozen(1e12)
