"""Who may watch, checked without any I/O, and who does: tokens, revocations and the audience's numbers."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from domain.playback_token import PlaybackClaim, Withdrawal, check
from ingest.nodes import passes

REMEMBERED_TOKENS = 20_000
"""Checked tokens kept by their text: a check is two hundred times the price of finding one."""
PRESENT_SECONDS = 15.0
"""A viewer counts as watching for so long after a request: a target duration or two."""


class Viewers:
    """`wall` is the clock tokens are dated by, `clock` a monotonic one; `nodes_secret` is what nodes sign with."""

    def __init__(
        self,
        secret: bytes,
        *,
        wall: Callable[[], datetime],
        clock: Callable[[], float],
        nodes_secret: bytes | None = None,
    ) -> None:
        self._nodes_secret = nodes_secret
        self._secret = secret
        self._wall = wall
        self._clock = clock
        self._claims: dict[tuple[str, UUID], PlaybackClaim] = {}
        self._revoked: dict[UUID, float] = {}  # sign-ins, and when each was revoked
        self._withdrawn: dict[UUID, set[Withdrawal]] = {}  # by session
        self._seen: dict[UUID, dict[UUID, float]] = {}  # session → account → when
        self._told: dict[UUID, dict[str, tuple[float, int]]] = {}  # session → node → when, and how many there

    def admit(self, token: str, session_id: UUID) -> PlaybackClaim:
        """The claim of a token that watches this session live. Raises Refusal(token_invalid, token_expired)."""
        now = self._wall()
        claim = self._claims.get((token, session_id))
        if claim is None or claim.expires_at <= now:
            self._claims.pop((token, session_id), None)
            claim = check(self._secret, token, kind="live", also="monitor", item_id=session_id, now=now)
            if len(self._claims) >= REMEMBERED_TOKENS:
                self._claims.clear()
            self._claims[token, session_id] = claim
        return claim

    def admit_ahead(self, token: str, session_id: UUID) -> PlaybackClaim:
        """The same of a token that previews it. Few do: none is remembered."""
        return check(self._secret, token, kind="preview", item_id=session_id, now=self._wall())

    def counts(self, claim: PlaybackClaim) -> bool:
        """Whether a claim that was admitted before still does."""
        return claim.expires_at > self._wall() and not self.is_revoked(claim)

    def is_revoked(self, claim: PlaybackClaim) -> bool:
        return claim.sign_in_id in self._revoked or (
            claim.item_id in self._withdrawn and any(one.covers(claim) for one in self._withdrawn[claim.item_id])
        )

    def revoke(self, sign_ins: Iterable[UUID]) -> None:
        """These sign-ins are over: their tokens count no more, however long they would last."""
        now = self._clock()
        for sign_in in sign_ins:
            self._revoked[sign_in] = now

    def withdraw(self, withdrawals: Iterable[Withdrawal]) -> None:
        """These persons' tokens count no more at a session: who was sent away, who is its reviewer no longer; anybody's
        of one that is purged.
        """
        for one in withdrawals:
            self._withdrawn.setdefault(one.session_id, set()).add(one)
            if one.account_id is None:
                self._seen.pop(one.session_id, None)
            elif not one.previews_only:
                self._seen.get(one.session_id, {}).pop(one.account_id, None)

    def saw(self, claim: PlaybackClaim) -> None:
        """Its viewer is there; who teaches or controls the session is none."""
        if claim.kind != "live":
            return
        self._seen.setdefault(claim.item_id, {})[claim.account_id] = self._clock()

    def told(self, session_id: UUID, path: str, passed_on: bytes) -> None:
        """Another node asks for its viewers, and says how many they are."""
        said = passes.read(self._nodes_secret, path, passed_on, self._wall()) if self._nodes_secret else None
        if said is not None:
            node, count = said
            self._told.setdefault(session_id, {})[node] = (self._clock(), count)

    def watching(self, session_id: UUID) -> int:
        """How many watch the session now, here and at other nodes."""
        since = self._clock() - PRESENT_SECONDS
        return self.here(session_id) + sum(
            count for at, count in self._told.get(session_id, {}).values() if at >= since
        )

    def here(self, session_id: UUID) -> int:
        """How many watch the session at this node."""
        return len(self.people(session_id))

    def people(self, session_id: UUID) -> Collection[UUID]:
        """The accounts that do: each has one sign-in, and so one place."""
        seen = self._seen.get(session_id)
        if not seen:
            return ()
        since = self._clock() - PRESENT_SECONDS
        for account in [one for one, at in seen.items() if at < since]:
            del seen[account]
        return seen.keys()

    @property
    def watched(self) -> list[UUID]:
        """Sessions that somebody has watched here lately."""
        return list(self._seen)

    def forget(self, *, revoked_seconds: float, sessions: Iterable[UUID]) -> None:
        """Drops what was revoked longer ago than any token lives, and the audiences of sessions that are not here."""
        since = self._clock() - revoked_seconds
        self._revoked = {one: at for one, at in self._revoked.items() if at >= since}
        oldest = self._wall() - timedelta(seconds=revoked_seconds)
        lasting = {one: {each for each in told if each.until >= oldest} for one, told in self._withdrawn.items()}
        self._withdrawn = {one: told for one, told in lasting.items() if told}
        here = set(sessions)
        self._seen = {one: seen for one, seen in self._seen.items() if one in here}
        self._told = {one: told for one, told in self._told.items() if one in here}
