"""How coarsely an H.264 key frame was quantised, read from its first slice's header (ITU-T H.264 §7.3.3).

SliceQPY (§7.4.3, equation 7-30) is what an encoder sets to meet its bit rate: 0 to 51, and each 6 more make the steps
twice as coarse. Unlike the bit rate, it means the same for slides that stand still and for a moving hand.
"""

from dataclasses import dataclass

from media.codecs import nal
from media.codecs.bits import Bits
from media.codecs.h264 import NAL_IDR, Sps, parse_config, parse_sps
from media.malformed import MalformedMedia

MOST = 51
HEAD_BYTES = 48
"""Of a slice: up to its quantiser a header has under 200 bits, whatever it says."""
MAX_LEADING = 64
"""Units before a key frame's first slice: delimiter, parameter sets, and messages for players."""
_INTRA = frozenset({2, 7})


@dataclass(frozen=True, slots=True)
class _Pps:
    """What a picture parameter set (§7.3.2.2) says of its slices' headers."""

    sps: int
    order_of_fields: bool
    quantiser: int
    counts_redundant: bool


class KeyFrameQuantiser:
    """Reads key frames of the stream that `config`, the body of avcC, is of. Raises MalformedMedia."""

    def __init__(self, config: bytes | memoryview) -> None:
        parsed = parse_config(config)
        self._sps = {sps.number: sps for sps in map(parse_sps, parsed.sps)}
        self._pps = dict(map(_parse_pps, parsed.pps))

    def read(self, picture: bytes | memoryview) -> int | None:
        """SliceQPY of the first slice of an access unit framed by four-byte lengths; None where it is no IDR picture,
        or of a kind that no live encoder makes. Raises MalformedMedia.
        """
        place, view = 0, memoryview(picture)
        for _ in range(MAX_LEADING):
            start = place + 4
            if start >= len(view):
                break
            if view[start] & 0x1F == NAL_IDR:
                return self._read_slice(view[start : start + HEAD_BYTES])
            place = start + int.from_bytes(view[place:start], "big")
        return None

    def _read_slice(self, unit: memoryview) -> int | None:
        bits = Bits(nal.unescape(unit)[1:])
        bits.ue()  # first_mb_in_slice
        if bits.ue() not in _INTRA:
            return None
        pps = self._pps.get(bits.ue())
        sps = None if pps is None else self._sps.get(pps.sps)
        if pps is None or sps is None:
            return None
        if sps.separate_planes:
            bits.skip(2)
        bits.skip(sps.frame_number_bits)
        of_field = not sps.frame_only and bits.flag()
        if of_field:
            bits.skip(1)
        bits.ue()  # idr_pic_id
        _skip_order(bits, sps, of_fields=pps.order_of_fields and not of_field)
        if pps.counts_redundant:
            bits.ue()
        if unit[0] >> 5 & 3:  # nal_ref_idc: an IDR picture's two flags of dec_ref_pic_marking
            bits.skip(2)
        quantiser = pps.quantiser + bits.se()
        if not 0 <= quantiser <= MOST:
            message = f"slice with quantiser {quantiser}"
            raise MalformedMedia(message)
        return quantiser


def _parse_pps(unit: bytes) -> tuple[int, _Pps | None]:
    """Its number and what it says; None of one with slice groups (FMO), which stands before what is asked here."""
    bits = Bits(nal.unescape(unit)[1:])
    number, sps = bits.ue(), bits.ue()
    bits.skip(1)  # entropy_coding_mode_flag
    order_of_fields = bits.flag()
    if bits.ue():  # num_slice_groups_minus1
        return number, None
    bits.ue()  # num_ref_idx_l0_default_active_minus1
    bits.ue()  # num_ref_idx_l1_default_active_minus1
    bits.skip(3)  # weighted_pred_flag, weighted_bipred_idc
    quantiser = 26 + bits.se()
    bits.se()  # pic_init_qs_minus26
    bits.se()  # chroma_qp_index_offset
    bits.skip(2)  # deblocking_filter_control_present_flag, constrained_intra_pred_flag
    return number, _Pps(sps, order_of_fields, quantiser, bits.flag())


def _skip_order(bits: Bits, sps: Sps, *, of_fields: bool) -> None:
    if sps.order.kind == 0:
        bits.skip(sps.order.lsb_bits)
        if of_fields:
            bits.se()  # delta_pic_order_cnt_bottom
    elif sps.order.kind == 1 and not sps.order.always_zero:
        bits.se()
        if of_fields:
            bits.se()
