"""What an ingest process may be told. Reads nothing: `lectern/settings.py` fills it from the environment and one
file.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """Ports, lengths and limits of one ingest process."""

    spool_folder: Path = Path("spool")
    """Where parts are written before they are in the object store. On a disk of its own in production."""
    node: str = "ingest-1"
    """This process's name among the ingest processes. It must keep it over restarts: it finds its own spools by it."""
    rtmp_hosts: tuple[str, ...] = ("127.0.0.1",)
    """Addresses at which encoders are taken in; `0.0.0.0` for all that this machine has."""
    rtmp_port: int = 1935
    """Port for RTMP at each of them."""
    rtmps_port: int = 1936
    """Port for RTMPS (RTMP in TLS 1.2 or 1.3) at each of them, when a certificate is set."""
    rtmps_certificate_file: Path | None = None
    """Certificate for RTMPS in PEM, the whole chain. Read again within a minute of its change; a pair that does not fit
    is logged, and the one before is served on.
    """
    rtmps_key_file: Path | None = None
    """Its private key in PEM, without a pass phrase."""
    encoder_megabits: int = 25
    """Mbit/s that one encoder may send for long; above it, it is warned, and the instructor's page says so; above twice
    that its publish is ended. 0: no limit.
    """
    rtmp_reconnect_url: str = ""
    """Where encoders that can move by themselves (Enhanced RTMP) are sent when this process stops
    (`rtmp://other.name:1935/live`); empty: to the address they came by, where another node answers.
    """
    rtmp_connections_per_address: int = 128
    """Encoders' connections at one time from one IPv4 address or one IPv6 /64; a whole school may stand behind one."""
    whip_hosts: tuple[str, ...] = ()
    """Addresses at which browsers' media is received over UDP; empty: all that this machine has."""
    whip_announced_hosts: tuple[str, ...] = ()
    """Told to browsers beside them: the outer address, where one stands before this machine."""
    whip_port_first: int = 0
    """First of the UDP ports to take, one a publisher, for a firewall's sake; 0: any free one."""
    whip_port_last: int = 0
    """Last of them."""
    http_host: str = "127.0.0.1"
    """Address of live playlists, WHIP, the control channel, `/healthz` and `/metrics`."""
    http_port: int = 8090
    """Port of the same."""
    control_url: str = "http://127.0.0.1:8090"
    """Where the api process and other ingest processes reach this one, and no other."""
    processes: int = 1
    """How many processes `lectern ingest` starts, all at the same ports; its `--processes` wins."""
    edge: bool = False
    """Whether it only shows what other nodes have: takes no encoders and no browsers' publishes in."""
    accel_redirect: bool = False
    """nginx stands in front and sends finished segments from its cache (X-Accel-Redirect); else this process does."""
    shared_ports: bool = False
    """Whether further ingest processes of this machine listen at the same ports; several `processes` set it."""
    own_http_port: int = 0
    """A second port for HTTP, which is not shared and which `control_url` then names; 0: none."""

    part_seconds: float = 0.5
    """A part's length (0.5 s with key frames every 1–2 s plays 1.3 to 1.6 s behind; docs/decisions/0017)."""
    segment_min_seconds: float = 2.0
    """A key frame closes a segment that is at least this long."""
    segment_max_seconds: int = 6
    """A segment is cut here even without a key frame: the target duration may not change (RFC 8216bis 4.4.3.1)."""
    holding_clip: Path | None = None
    """What viewers see while a session is cut: an mp4 in fragments of H.264 that begins with a key frame, played over
    and over without its sound, up to a segment's length of it. Made of a picture by `scripts/holding-picture`; all
    nodes need the same. None: our own, "直播暂停，请稍候 / The broadcast is paused".
    """
    reel_seconds: float = 60.0
    """A reel closes at the first segment's end after this much media."""
    segments_in_memory: int = 3
    """How many of the newest segments keep their parts in memory; older ones come from the spool or the store."""

    grace_seconds: float = 30.0
    """How long a lost encoder is called "reconnecting" before the pages are told it is lost. It never ends a
    session.
    """
    linger_seconds: float = 60.0
    """How long an ended session's playlists stay, so that players reach its end."""
    dead_after_seconds: float = 3.0
    """A publisher silent for this long may be taken over by another with the same key."""
    early_seconds: int = 900
    """How long before its start a session may be published into."""
    overrun_seconds: int = 1800
    """How long after its planned end a session may still be published into."""
    max_publishers: int = 64
    """Takes at one time on this node."""
    max_department_publishers: int = 0
    """Takes at one time of one department's sessions, on all nodes together, where it has no limit of its own; give all
    nodes the same. 0: no limit.
    """

    upload_threads: int = 2
    """Reels that are uploaded at the same time."""
    upload_megabits: int = 400
    """Mbit/s that uploads keep to, catching up included; each byte is read back, too. Must be more than all encoders
    send together, or the spool grows.
    """
    retry_first_seconds: float = 1.0
    """First wait before another try at a store or catalogue that is away; it doubles from there."""
    retry_longest_seconds: float = 30.0
    """The longest such wait; it is tried for ever."""
    verified_keep_bytes: int = 4 << 30
    """Spool already in the store that is kept on the disk, for seeking viewers, before the oldest is freed."""
    spool_flush_parts: bool = False
    """Whether each part is flushed to the disk as it is written, instead of each segment when it ends. A machine that
    loses its power then loses half a second of media, not up to six; each stream costs the disk two flushes a second.
    """
    disk_low_bytes: int = 2 << 30
    """Below this much free space verified spool is freed, oldest first."""
    disk_full_bytes: int = 256 << 20
    """Below this, with nothing left to free, recording pauses (a gap in the recording) and live goes on."""

    def __post_init__(self) -> None:
        if (self.rtmps_certificate_file is None) != (self.rtmps_key_file is None):
            raise ValueError("rtmps_certificate_file and rtmps_key_file: set both or neither")
