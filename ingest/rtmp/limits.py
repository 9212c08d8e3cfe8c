"""Every bound on what a peer may make us hold or wait for, with its reason.

Rule: a buffer, a count or a wait that the network can stretch has its name here and nowhere else.
"""

from dataclasses import dataclass

# Before a publish is admitted a peer is a stranger: it may send commands only, and the longest known (a connect with
# every optional property and a long tcUrl) is under 4 KiB. After it, the same bound holds for all that is not media.
MAX_COMMAND_BYTES = 64 * 1024

# A 2160p key frame at a generous 60 Mbit/s with a 4 s GOP stays under 4 MiB; twice that is no encoder's mistake.
MAX_VIDEO_BYTES = 8 * 1024 * 1024

# The largest AAC frame is 6144 bits a channel (ISO/IEC 14496-3), 6 KiB for eight channels; an Opus packet is smaller.
MAX_AUDIO_BYTES = 64 * 1024

# Encoders use four to eight; FMLE the most. Each costs us a small object for the life of the connection.
MAX_CHUNK_STREAMS = 64

# Sum of the announced lengths of messages under way: one of the largest and its neighbours, not 64 of the largest.
MAX_ASSEMBLING_BYTES = 2 * MAX_VIDEO_BYTES

# A message's buffer starts no larger than this, so that a header alone costs little; it doubles as bytes really come.
FIRST_BUFFER_BYTES = 64 * 1024

# Until its first publish: handshake, connect, createStream and publish are under 10 KiB with every encoder; one that
# does not wait for answers may have a read's worth (256 KB) of media behind them.
MAX_STRANGER_BYTES = 384 * 1024

# Flash Media Server gathers some hundred milliseconds of tags; each one costs us an object however small it is.
MAX_AGGREGATE_TAGS = 1024

# createStream in a loop must not grow a set for ever; encoders open one, Flash a handful.
MAX_NET_STREAMS = 16

# onMetaData is two levels deep and has some 30 properties; connect likewise.
MAX_AMF_DEPTH = 16
MAX_AMF_VALUES = 1024

# What comes behind a publish that is not decided yet: encoders wait for the answer, and the shell stops reading.
MAX_HELD_BYTES = 1024 * 1024

# One read of a socket: a key frame in two or three; what is read is kept by whoever keeps a packet of it.
READ_BYTES = 128 * 1024

# What comes of one publish between two rounds of reading: 60 ms at 60 Mbit/s, more than twice the usual limit.
ROUND_BYTES = 512 * 1024

# What is still read of a connection that is over: the largest receive buffer that kernels give by themselves, twice.
MAX_LEFT_BYTES = 16 * 1024 * 1024

# What is kept of texts that go to logs, pages and the catalogue.
MAX_TEXT_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class BitRateLimits:
    """How much one publish may send, audio, video and overhead together."""

    soft_megabits: float = 0.0
    """Mbit/s that may go on for ever; 0: no limit."""
    warn_seconds: float = 10.0
    """So many seconds' worth may come above it (twice the rate for so long, or three times it for half of that); then
    the encoder is warned.
    """
    hard_factor: float = 2.0
    """So many times it is the limit that ends a publish,"""
    burst_seconds: float = 5.0
    """when so many seconds' worth came above that."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a peer may take, in seconds. None runs while it is we who keep it waiting."""

    handshake_seconds: float = 10.0
    """From the connection to the end of the handshake: three round trips on any line that could carry video."""
    publish_seconds: float = 20.0
    """From the connection (or the end of an earlier publish) to the next publish: what a slow-loris gets at most."""
    first_frame_seconds: float = 20.0
    """From admission to the first audio or video message: a hardware encoder may still have to open its camera."""
    silence_seconds: float = 30.0
    """Without a whole audio or video message: longer than any wireless hiccup that TCP survives."""
    ping_seconds: float = 10.0
    """Without a byte: ask the peer whether it is there, so that a dead line fails by TCP's own clock."""
