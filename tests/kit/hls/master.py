"""The rules of RFC 8216bis for a multivariant playlist, judged beside what its variants really hold (§4.4.6.2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.kit.hls.lines import read_master


@dataclass(frozen=True)
class Held:
    """What a variant holds: formats (RFC 6381) of all its inits, seconds and bytes of each segment, its picture."""

    codecs: frozenset[str]
    lengths: Sequence[tuple[float, int]]
    target: int
    size: tuple[int, int] | None = None
    frame_rate: float | None = None


def of_master(text: str, held: Mapping[str, Held]) -> list[str]:
    """What is wrong with it; `held` by the variants' URIs."""
    master = read_master(text)
    faults = []
    if {uri for _, uri in master.variants} != set(held):
        faults.append(f"variants {[uri for _, uri in master.variants]}, not {sorted(held)}")
    for attributes, uri in master.variants:
        if uri in held:
            faults += [f"4.4.6.2: {uri} {fault}" for fault in _variant(attributes, held[uri])]
    groups = {(one["TYPE"], one["GROUP-ID"]) for one in master.renditions}
    for attributes, uri in master.variants:
        if "AUDIO" in attributes and ("AUDIO", attributes["AUDIO"]) not in groups:
            faults.append(f"4.4.6.2: {uri} names a group that is not there")
    return faults


def _variant(attributes: Mapping[str, str], held: Held) -> list[str]:
    faults = []
    peak, average = bit_rates(held.lengths, held.target)
    if int(attributes.get("BANDWIDTH", "0")) < peak:
        faults.append(f"has {peak} bit/s at its peak, BANDWIDTH says {attributes.get('BANDWIDTH')}")
    if "AVERAGE-BANDWIDTH" in attributes and not 0.9 <= int(attributes["AVERAGE-BANDWIDTH"]) / average <= 1.1:
        faults.append(f"has {average} bit/s, AVERAGE-BANDWIDTH says {attributes['AVERAGE-BANDWIDTH']}")
    if missing := held.codecs - set(attributes.get("CODECS", "").split(",")):
        faults.append(f"CODECS says nothing of {sorted(missing)}")
    if held.size and attributes.get("RESOLUTION") != "{}x{}".format(*held.size):
        faults.append(f"is {held.size}, RESOLUTION says {attributes.get('RESOLUTION')}")
    if held.size is None and "RESOLUTION" in attributes:
        faults.append("has no picture, but a RESOLUTION")
    if held.frame_rate and abs(float(attributes.get("FRAME-RATE", "0")) - held.frame_rate) > 0.05:
        faults.append(f"has {held.frame_rate} frames a second, FRAME-RATE says {attributes.get('FRAME-RATE')}")
    return faults


def bit_rates(lengths: Sequence[tuple[float, int]], target: int) -> tuple[int, int]:
    """Peak and average (§4.1): the peak over neighbours that last 0.5 to 1.5 target durations together."""
    peak = 0.0
    for first in range(len(lengths)):
        seconds, octets = 0.0, 0
        for duration, length in lengths[first:]:
            seconds, octets = seconds + duration, octets + length
            if seconds > 1.5 * target:
                break
            if seconds >= 0.5 * target:
                peak = max(peak, octets * 8 / seconds)
    whole = sum(duration for duration, _ in lengths)
    return int(peak), int(sum(length for _, length in lengths) * 8 / whole) if whole else 0


def avc(init: bytes) -> str:
    """The format of an H.264 init, read by hand: the three bytes behind avcC's version (RFC 6381 §3.3)."""
    at = init.index(b"avcC") + 5
    return f"avc1.{init[at : at + 3].hex()}"
