"""The one error of this room: bytes or text that break their format's rules or one of our limits.

Whatever comes from outside, every parser here returns a value or raises `MalformedMedia`; nothing else may escape
(`tests/media/test_fuzz.py` holds that).
"""


class MalformedMedia(ValueError):  # noqa: N818 - named for what the media is, as Refusal is named for what a rule did
    """The media cannot be understood; the message says which rule was broken."""
