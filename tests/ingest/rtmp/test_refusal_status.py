"""Every refusal of a publish has its words."""

import pytest

from domain.refusals import Refusal, RefusalCode
from ingest.rtmp.refusal_status import status_of

PUBLISH_CODES = [
    "unknown_key", "key_revoked", "key_expired", "outside_window", "session_over", "session_cancelled",
    "session_not_scheduled", "filing_missing", "key_in_use", "node_full", "department_full", "disk_full",
    "catalogue_away", "unsupported_codec",
]  # fmt: skip


@pytest.mark.parametrize("code", PUBLISH_CODES)
def test_each_has_a_sentence_of_its_own(code: str) -> None:
    status, sentence = status_of(Refusal(code))
    assert status.startswith("NetStream.Publish.")
    assert sentence.endswith(".")
    assert not sentence.startswith("Refused:")
    assert code not in sentence


def test_others_are_named() -> None:
    assert status_of(Refusal(RefusalCode.rate_limited)) == ("NetStream.Publish.Failed", "Refused: rate_limited.")


def test_a_key_in_use_lets_the_encoder_try_again_and_a_wrong_one_does_not() -> None:
    assert status_of(Refusal(RefusalCode.key_in_use))[0] == "NetStream.Publish.BadName"
    assert status_of(Refusal(RefusalCode.catalogue_away))[0] == "NetStream.Publish.Failed"
    assert status_of(Refusal(RefusalCode.unknown_key))[0] == "NetStream.Publish.Denied"


def test_a_window_is_told_in_beijing_time() -> None:
    opens = Refusal(RefusalCode.outside_window, opens_at="2026-03-02T23:45:00Z")
    assert status_of(opens)[1] == "It is not this session's time. Publish from 2026-03-03 07:45 (UTC+8)."
    odd = Refusal(RefusalCode.outside_window, opens_at="soon", closes_at=3)
    assert status_of(odd)[1] == "It is not this session's time."
