"""The life of one RTMP connection as a table. Rule: a move that is not in it is refused; no state changes elsewhere."""

from enum import StrEnum

from ingest.rtmp.errors import MisuseError, PeerError


class State(StrEnum):
    HANDSHAKE = "handshake"
    CONNECTING = "connecting"  # waits for `connect`
    IDLE = "idle"  # connected, nothing published
    DECIDING = "deciding"  # a publish was asked for, the owner has not answered
    PUBLISHING = "publishing"
    CLOSED = "closed"  # what is to be sent goes out, nothing is read any more


class Move(StrEnum):
    SHAKE = "shake"
    CONNECT = "connect"
    PUBLISH = "publish"
    UNPUBLISH = "unpublish"
    ACCEPT = "accept"
    CLOSE = "close"


MOVES: dict[tuple[State, Move], State] = {
    (State.HANDSHAKE, Move.SHAKE): State.CONNECTING,
    (State.CONNECTING, Move.CONNECT): State.IDLE,
    (State.IDLE, Move.PUBLISH): State.DECIDING,
    (State.DECIDING, Move.ACCEPT): State.PUBLISHING,
    (State.PUBLISHING, Move.UNPUBLISH): State.IDLE,
    (State.HANDSHAKE, Move.CLOSE): State.CLOSED,
    (State.CONNECTING, Move.CLOSE): State.CLOSED,
    (State.IDLE, Move.CLOSE): State.CLOSED,
    (State.DECIDING, Move.CLOSE): State.CLOSED,
    (State.PUBLISHING, Move.CLOSE): State.CLOSED,
}
_OURS = (Move.ACCEPT, Move.CLOSE)


def moved(state: State, move: Move) -> State:
    """The state after `move`. Raises PeerError if the peer may not make it now, MisuseError if we may not."""
    after = MOVES.get((state, move))
    if after is None:
        reason = f"{move} while {state}"
        raise MisuseError(reason) if move in _OURS else PeerError(reason)
    return after
