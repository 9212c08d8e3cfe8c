"""What WHIP may be told. Reads nothing."""

from dataclasses import dataclass, field

from ingest.rtmp.limits import BitRateLimits


@dataclass(frozen=True, slots=True)
class WhipSettings:
    """Addresses, limits and waits of WHIP publishes in one ingest process."""

    hosts: tuple[str, ...] = ()
    """Addresses of this machine that media is received at, over UDP; empty: all it has, the loopback too."""
    announced_hosts: tuple[str, ...] = ()
    """Told to browsers beside `hosts`, with the first host's port: the outer address where one stands before us and
    passes ports through unchanged."""
    port_first: int = 0
    port_last: int = 0
    """The UDP ports to take, one a publisher and address, for a firewall's sake; 0: any free one."""
    keyframe_seconds: float = 1.5
    """A browser sends a key frame only when asked: it is asked when the last one is this old. Segments are cut at key
    frames 1 to 2 s apart."""
    start_kbps: int = 2500
    """Where a browser's congestion control begins (Chromium alone asks): from its own 300 kbit/s it would begin with a
    small picture and grow, and each new size is a discontinuity to viewers. 0: leave it to the browser."""
    gather_seconds: float = 5.0
    connect_seconds: float = 15.0
    """From the answer to the end of ICE and DTLS; then the publish is given up."""
    first_media_seconds: float = 20.0
    """From the connection to the first usable packet: a browser may still be asking for the camera."""
    silence_seconds: float = 10.0
    """Without any packet of the peer: browsers send reports every few seconds even when nothing is to be seen, and ICE
    itself takes 30 s to give up."""
    admission_seconds: float = 10.0
    """How long our own side may take to decide a publish; then it is refused as for a fault of ours."""
    body_seconds: float = 10.0
    """How long a client may take to send a request's body."""
    max_body_bytes: int = 128 * 1024
    """An offer of a browser is 5 to 8 KB."""
    bit_rate: BitRateLimits = field(default_factory=BitRateLimits)
    """The pages say when it is above the soft limit: a browser cannot be told."""
