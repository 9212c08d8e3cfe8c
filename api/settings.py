"""What the HTTP API lets its operator set. Reads nothing: `lectern/settings.py` fills it."""

import ipaddress
from dataclasses import dataclass


@dataclass(frozen=True)
class ApiSettings:
    """Addresses, sign-in and limits of the HTTP API. Times are seconds, sizes bytes."""

    host: str = "127.0.0.1"
    """Address that the API listens on."""
    port: int = 8080
    """Port that the API listens on."""
    public_url: str = "http://127.0.0.1:8080"
    """The one address that browsers use; cookies and CSRF checks hold to it. On one's own machine `localhost` and
    `127.0.0.1` count as the same.
    """
    ingest_public_url: str = "http://127.0.0.1:8090"
    """Where browsers reach the ingest process: live playlists and WHIP."""
    rtmp_public_url: str = "rtmp://127.0.0.1:1935/live"
    """What an encoder's "server" field is set to."""
    rtmps_public_url: str = ""
    """The same for RTMPS (`rtmps://your.name:1936/live`), shown beside it; empty: not offered."""
    trusted_proxies: tuple[str, ...] = ("127.0.0.1",)
    """Addresses or networks (`172.31.89.0/24`) of the proxies in front. Only from them is `X-Forwarded-For` believed:
    the viewer's address that the rate limit counts and the audit trail keeps. Anybody else's counts as what it is.
    """
    workers: int = 1
    """Granian worker processes."""
    sign_in_idle_seconds: int = 8 * 3600
    """How long a sign-in lasts without being used; each use begins it anew."""
    sign_in_longest_seconds: int = 24 * 3600
    """How long a sign-in lasts at most, however much it is used; then the password is asked for again."""
    playback_token_seconds: int = 6 * 3600
    """How long a playback token lasts; the player asks for a new one before it ends."""
    sign_in_attempts_per_minute: int = 20
    """Sign-in attempts that one address may make in a minute."""
    upload_max_bytes: int = 8 * 1024 * 1024
    """Largest timetable or roster that may be uploaded."""
    page_size: int = 50
    """Items of a page when the caller names no number."""
    page_size_max: int = 200
    """The most items that a caller may name for a page."""
    accel_redirect: bool = False
    """nginx stands in front and answers X-Accel-Redirect; else the API sends the bytes of a replay itself."""

    def __post_init__(self) -> None:
        if self.sign_in_longest_seconds < self.sign_in_idle_seconds:
            raise ValueError("sign_in_longest_seconds: must be at least sign_in_idle_seconds")
        for proxy in self.trusted_proxies:
            try:
                ipaddress.ip_network(proxy)
            except ValueError as error:
                raise ValueError(f"trusted_proxies: {error}") from error
