"""Settings that belong to no single room."""

from dataclasses import dataclass, field
from pathlib import Path

MASTER_SECRET_BYTES = 32


@dataclass(frozen=True)
class LecternSettings:
    """Where data lives, what all signatures derive from, how logs look."""

    data_folder: Path = Path(".data")
    """Folder of the embedded servers' data and, unless set otherwise, of the spool."""
    master_secret: str = field(default="", repr=False)
    """32 bytes in hexadecimal, the same in every process; playback tokens, ingest keys and the control channel each use
    a key derived from it. `deploy/make-secrets` makes one, `lectern up` keeps one beside its data.
    """
    log_level: str = "info"
    """debug, info, warning or error."""
    log_format: str = "console"
    """json for machines, console for people."""

    def __post_init__(self) -> None:
        if self.log_level not in ("debug", "info", "warning", "error"):
            raise ValueError(f"log_level must be debug, info, warning or error, not {self.log_level!r}")
        if self.log_format not in ("json", "console"):
            raise ValueError(f"log_format must be json or console, not {self.log_format!r}")
        if self.master_secret and len(self.secret_bytes()) != MASTER_SECRET_BYTES:
            raise ValueError(f"master_secret must be {MASTER_SECRET_BYTES} bytes in hexadecimal")

    def secret_bytes(self) -> bytes:
        """The master secret as bytes. Raises ValueError where it is no hexadecimal."""
        try:
            return bytes.fromhex(self.master_secret)
        except ValueError as error:
            raise ValueError("master_secret must be hexadecimal") from error
