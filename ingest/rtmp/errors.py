"""The two ways RTMP can go wrong here, and who is to blame.

    RtmpError
    ├── PeerError     the peer broke the protocol or one of our limits: its connection ends, nobody else's does
    └── MisuseError   our own code called a connection out of turn: a bug of ours, never the peer's doing

Rule: whatever bytes a peer sends, they are understood or they raise `PeerError`; nothing else may escape a parser.
"""


class RtmpError(Exception):
    """Base of both."""


class PeerError(RtmpError):
    """What the peer did wrong, in a sentence fit for a log line and for the peer itself."""


class MisuseError(RtmpError):
    """A call that the connection's state does not allow."""
