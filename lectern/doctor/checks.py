"""Every check of `lectern doctor`, in the order in which they are shown."""

from lectern.doctor import addresses, catalogue, clock, descriptors, disk, ffmpeg, names, objects, ports, secret, valkey
from lectern.doctor.finding import Check

CHECKS = (
    Check("packages", names.packages),
    Check("ffmpeg", ffmpeg.encoders),
    Check("data folder", disk.data_folder),
    Check("spool", disk.spool),
    Check("work folder", disk.work),
    Check("open files", descriptors.limit),
    Check("addresses", addresses.public),
    Check("master secret", secret.master),
    Check("port of the API", ports.api),
    Check("port of ingest", ports.ingest_http),
    Check("port of RTMP", ports.rtmp),
    Check("catalogue", catalogue.reachable),
    Check("revision", catalogue.revision),
    Check("evidence", catalogue.evidence),
    Check("clock", clock.agrees),
    Check("queue", valkey.queue),
    Check("object store", objects.round_trip),
)
