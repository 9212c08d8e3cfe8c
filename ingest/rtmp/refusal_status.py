"""A rule's no as an encoder is told it: onStatus's code and one sentence. The only place where RTMP knows refusals.

Rule: OBS and GStreamer take `Denied` for a wrong key or a forbidden stream and do not try again; what may pass by
itself (the key is in use, the node is full) is `BadName` or `Failed`, after which OBS reconnects.
"""

from datetime import datetime, timedelta, timezone

from domain.refusals import Refusal, RefusalCode
from ingest.rtmp.commands import BAD_NAME, DENIED, FAILED

_SENTENCES = {
    RefusalCode.unknown_key: (DENIED, "This stream key is not known."),
    RefusalCode.key_revoked: (DENIED, "This stream key was replaced by another."),
    RefusalCode.key_expired: (DENIED, "This stream key has expired."),
    RefusalCode.outside_window: (DENIED, "It is not this session's time."),
    RefusalCode.session_over: (DENIED, "This session is over."),
    RefusalCode.session_cancelled: (DENIED, "This session was cancelled."),
    RefusalCode.session_not_scheduled: (DENIED, "This session is not scheduled."),
    RefusalCode.filing_missing: (DENIED, "This event's filing has not been approved."),
    RefusalCode.key_in_use: (BAD_NAME, "Another encoder is publishing with this key."),
    RefusalCode.node_full: (FAILED, "This server is full, try again later."),
    RefusalCode.department_full: (FAILED, "This department has as many encoders on the air as it may."),
    RefusalCode.disk_full: (FAILED, "This server's disk is full, try again later."),
    RefusalCode.catalogue_away: (FAILED, "This server cannot look up stream keys now, try again in a moment."),
    RefusalCode.unsupported_codec: (FAILED, "What is sent here cannot be used."),
}
_BEIJING = timezone(timedelta(hours=8), "UTC+8")


def status_of(refusal: Refusal) -> tuple[str, str]:
    """(code, description) for onStatus; a window's edges are told in Beijing time."""
    code, sentence = _SENTENCES.get(refusal.code, (FAILED, f"Refused: {refusal.code}."))
    opens, closes = _clock(refusal.facts.get("opens_at")), _clock(refusal.facts.get("closes_at"))
    if opens and closes:
        sentence = f"{sentence} Publish between {opens} and {closes} ({_BEIJING})."
    elif opens:
        sentence = f"{sentence} Publish from {opens} ({_BEIJING})."
    return code, sentence


def _clock(instant: str | int | None) -> str:
    if not isinstance(instant, str):
        return ""
    try:
        return f"{datetime.fromisoformat(instant).astimezone(_BEIJING):%Y-%m-%d %H:%M}"
    except ValueError:
        return ""
