"""The ports that `up` will listen on are free: said in one line before anything is started."""

import errno
import socket
import time

from lectern.complaint import Complaint
from lectern.doctor.ports import is_ours, listener_on
from lectern.ingest_processes import own_ports
from lectern.settings import Settings

GOING_SECONDS = 10.0
POLL_SECONDS = 0.1


def require_free_ports(settings: Settings) -> None:
    """Complaint naming the first that is taken. One that a Lectern of before has is waited for: it may be on its way
    out.
    """
    api, ingest = settings.api, settings.ingest
    wanted = [
        (api.host, api.port, "LECTERN_API_PORT"),
        (ingest.http_host, ingest.http_port, "LECTERN_INGEST_HTTP_PORT"),
        *((host, ingest.rtmp_port, "LECTERN_INGEST_RTMP_PORT") for host in ingest.rtmp_hosts),
    ]
    if ingest.rtmps_certificate_file:
        wanted += [(host, ingest.rtmps_port, "LECTERN_INGEST_RTMPS_PORT") for host in ingest.rtmp_hosts]
    _require(wanted)
    require_own_ports(settings, ingest.processes)


def require_own_ports(settings: Settings, processes: int) -> None:
    """The same for the ports beside the shared one, where so many ingest processes run."""
    ingest = settings.ingest
    _require(
        [
            (ingest.http_host, port, "LECTERN_INGEST_HTTP_PORT, which they follow")
            for port in own_ports(ingest, processes)
        ]
    )


def _require(wanted: list[tuple[str, int, str]]) -> None:
    until = time.monotonic() + GOING_SECONDS
    for host, port, name in wanted:
        while _is_taken(host, port):
            holder = listener_on(port)
            if holder is None or not is_ours(holder) or time.monotonic() > until:
                by = f"{holder.name()} (process {holder.pid})" if holder else "another user's process"
                raise Complaint(f"port {port} is taken by {by}: end it, or choose another with {name}")
            time.sleep(POLL_SECONDS)


def _is_taken(host: str, port: int) -> bool:
    """Any other reason not to listen is left to the process that will: it says it better."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As the servers do: a port in TIME_WAIT from its former life is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False
