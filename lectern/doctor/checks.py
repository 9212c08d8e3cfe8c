"""Every check of `lectern doctor`, in the order in which they are shown."""

from collections.abc import Collection

from lectern.doctor import (
    addresses,
    catalogue,
    certificate,
    clock,
    descriptors,
    disk,
    ffmpeg,
    house,
    names,
    objects,
    ports,
    secret,
    valkey,
)
from lectern.doctor.finding import Check

CHECKS = (
    Check("packages", names.packages),
    Check("house", house.running),
    Check("ffmpeg", ffmpeg.encoders, ("worker",)),
    Check("data folder", disk.data_folder),
    Check("spool", disk.spool, ("ingest",)),
    Check("work folder", disk.work, ("worker",)),
    Check("open files", descriptors.limit, ("api", "ingest")),
    Check("addresses", addresses.public, ("api",)),
    Check("master secret", secret.master),
    Check("port of the API", ports.api, ("api",)),
    Check("port of ingest", ports.ingest_http, ("ingest",)),
    Check("ports of its processes", ports.ingest_own, ("ingest",)),
    Check("port of RTMP", ports.rtmp, ("ingest",)),
    Check("port of RTMPS", ports.rtmps, ("ingest",)),
    Check("certificate of RTMPS", certificate.rtmps, ("ingest",)),
    Check("catalogue", catalogue.reachable),
    Check("revision", catalogue.revision),
    Check("evidence", catalogue.evidence),
    Check("clock", clock.agrees),
    Check("queue", valkey.queue),
    Check("object store", objects.round_trip),
)


def checks_of(processes: Collection[str]) -> tuple[Check, ...]:
    """Those that matter to one of these processes; all without any."""
    return tuple(check for check in CHECKS if not processes or not check.of or set(check.of) & set(processes))
