"""Settings that belong to no single room."""

from dataclasses import dataclass
from pathlib import Path

MASTER_SECRET_BYTES = 32


@dataclass(frozen=True)
class LecternSettings:
    """Where data lives, what all signatures derive from, how logs look."""

    # Folder of the embedded servers' data and, unless set otherwise, of the spool.
    data_folder: Path = Path(".data")
    # 32 bytes in hexadecimal; playback tokens, ingest keys and the control channel each use a key derived from it.
    master_secret: str = ""
    # debug, info, warning or error.
    log_level: str = "info"
    # json for machines, console for people.
    log_format: str = "console"

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
