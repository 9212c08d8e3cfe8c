"""What the HTTP API lets its operator set."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ApiSettings:
    """Addresses, sign-in, limits. Times are seconds, sizes bytes."""

    # Address that the API listens on.
    host: str = "127.0.0.1"
    # Port that the API listens on.
    port: int = 8080
    # The one address that browsers use; cookies and CSRF checks hold to it.
    public_url: str = "http://127.0.0.1:8080"
    # Where browsers reach the ingest process: live playlists and WHIP.
    ingest_public_url: str = "http://127.0.0.1:8090"
    # What an encoder's "server" field is set to.
    rtmp_public_url: str = "rtmp://127.0.0.1:1935/live"
    # Granian worker processes.
    workers: int = 1
    # How long a sign-in lasts without being used.
    sign_in_idle_seconds: int = 8 * 3600
    # How long a playback token lasts; the player asks for a new one before it ends.
    playback_token_seconds: int = 6 * 3600
    # Sign-in attempts that one address may make in a minute.
    sign_in_attempts_per_minute: int = 20
    # Largest timetable or roster that may be uploaded.
    upload_max_bytes: int = 8 * 1024 * 1024
    # Items of a page when the caller names no number, and the most it may name.
    page_size: int = 50
    page_size_max: int = 200
    # nginx stands in front and answers X-Accel-Redirect; else the API sends the bytes of a replay itself.
    accel_redirect: bool = False
