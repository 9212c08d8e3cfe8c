"""The ports that Lectern listens on are free, or it is Lectern that listens there."""

import errno
import socket
from pathlib import Path

import psutil

from lectern.doctor.finding import Finding, Verdict, bad, doubtful, good
from lectern.ingest_processes import own_ports
from lectern.settings import Settings

OUR_PROGRAM = "lectern"


def api(settings: Settings) -> Finding:
    """The HTTP API."""
    return _port([settings.api.host], settings.api.port, "LECTERN_API")


def ingest_http(settings: Settings) -> Finding:
    """Live playlists, WHIP and the control channel."""
    return _port([settings.ingest.http_host], settings.ingest.http_port, "LECTERN_INGEST_HTTP")


def ingest_own(settings: Settings) -> Finding:
    """Where each of several ingest processes is reached alone."""
    ports = own_ports(settings.ingest, settings.ingest.processes)
    if not ports:
        return good("not used: one ingest process")
    found = [_port([settings.ingest.http_host], port, "LECTERN_INGEST_HTTP") for port in ports]
    worst = next((one for verdict in (Verdict.bad, Verdict.doubtful) for one in found if one.verdict == verdict), None)
    return worst or good(", ".join(one.found for one in found))


def rtmp(settings: Settings) -> Finding:
    """Encoders."""
    if settings.ingest.edge:
        return good("not used: an edge")
    return _port(settings.ingest.rtmp_hosts, settings.ingest.rtmp_port, "LECTERN_INGEST_RTMP")


def rtmps(settings: Settings) -> Finding:
    """Encoders in TLS."""
    if settings.ingest.rtmps_certificate_file is None or settings.ingest.edge:
        return good("not used")
    return _port(settings.ingest.rtmp_hosts, settings.ingest.rtmps_port, "LECTERN_INGEST_RTMPS")


def _port(hosts: list[str] | tuple[str, ...], port: int, prefix: str) -> Finding:
    ours = False
    for host in hosts:
        refused = _try_to_bind(host, port)
        if refused == errno.EADDRINUSE:
            holder = listener_on(port)
            if holder is None:
                return doubtful(f"{host}:{port} is taken by another user's process", "run this as root to see by whose")
            if not is_ours(holder):
                told = f"{host}:{port} is taken by {holder.name()} (process {holder.pid})"
                return bad(told, f"end it, or choose another with {prefix}_PORT")
            ours = True
        elif refused == errno.EACCES:
            return bad(f"{host}:{port} may not be opened by this user", f"choose one above 1023 with {prefix}_PORT")
        elif refused:
            reason = errno.errorcode.get(refused, str(refused))
            return bad(f"{host}:{port} cannot be listened on ({reason})", f"{prefix}_HOST must be this machine's own")
    return good(f"{port} is Lectern's" if ours else f"{port} is free")


def _try_to_bind(host: str, port: int) -> int:
    """0, or the error number of what stands against it."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            # As the servers do: a port in TIME_WAIT from its former life is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror:
        return errno.EADDRNOTAVAIL
    except OSError as error:
        return error.errno or errno.EIO
    return 0


def listener_on(port: int) -> psutil.Process | None:
    """Who listens on `port`; None where that is another user's process."""
    for connection in psutil.net_connections("tcp"):
        listens = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
        if listens and connection.pid:
            return psutil.Process(connection.pid)
    return None


def is_ours(process: psutil.Process) -> bool:
    """Whether it, or a process that started it, is the `lectern` program: granian's workers are its children."""
    return any(_runs_lectern(one) for one in (process, *process.parents()))


def _runs_lectern(process: psutil.Process) -> bool:
    try:
        words = process.cmdline()
    except psutil.Error:
        return False
    return bool(words) and OUR_PROGRAM in (Path(words[0]).name, Path(_script(words[1:])).name)


def _script(arguments: list[str]) -> str:
    """What an interpreter runs: `/…/bin/lectern` of `python /…/bin/lectern api`, or of `python -P -m lectern api`."""
    return next((word for word in arguments if not word.startswith("-")), "")
