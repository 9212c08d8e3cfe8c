"""What the RTMP server may be told. Reads nothing."""

from dataclasses import dataclass, field

from ingest.rtmp.limits import BitRateLimits, Timeouts


@dataclass(frozen=True, slots=True)
class RtmpSettings:
    """Addresses, limits and waits of one RTMP server."""

    hosts: tuple[str, ...] = ("127.0.0.1", "::1")
    """Addresses to listen on; an IPv6 one is left out, with a warning, where the machine has no IPv6."""
    port: int = 1935
    """For plain RTMP; 0 picks a free one, the same for all hosts."""
    shared: bool = False
    """Whether further processes listen at the same ports."""
    tls_port: int | None = None
    """For rtmps, when the server is given a certificate; 0 picks a free one."""
    certificate_look_seconds: float = 60.0
    """How often the certificate's files are looked at."""
    connections: int = 1024
    """At one time, of all peers: well under a process's usual limit of open files."""
    connections_per_address: int = 128
    """At one time from one IPv4 address or one IPv6 /64: a whole school may stand behind one, a flood may not."""
    admission_seconds: float = 10.0
    """How long our own side may take to decide a publish; then it is refused as for a fault of ours."""
    reconnect_url: str = ""
    """Told to encoders that can move (Enhanced RTMP) when the server stops; empty: the address they came by."""
    reconnect_seconds: float = 2.0
    """How long such encoders may take to leave by themselves; then they are hung up like the others."""
    linger_seconds: float = 2.0
    """How long a peer that was told the end may take to hang up: what it still sends is read and dropped, or the
    answer could be lost to a reset."""
    bit_rate: BitRateLimits = field(default_factory=BitRateLimits)
    timeouts: Timeouts = field(default_factory=Timeouts)
