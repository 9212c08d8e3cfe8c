"""The certificate of RTMPS: it loads, fits its key, is for the name that encoders are told, and does not end soon."""

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from cryptography import x509

from ingest.rtmp.certificate import Certificate, CertificateFault, leaf
from lectern.clock import now
from lectern.doctor.finding import Finding, bad, doubtful, good
from lectern.settings import Settings

SOON = timedelta(days=21)
"""Certificate clients renew a month before the end: who has less left has a renewal that does not work."""
_RENEW = "put a new pair over LECTERN_INGEST_RTMPS_CERTIFICATE_FILE and …_KEY_FILE; no restart is needed"


def rtmps(settings: Settings) -> Finding:
    """Served or not, and how long."""
    certificate, key = settings.ingest.rtmps_certificate_file, settings.ingest.rtmps_key_file
    if certificate is None or key is None:
        if told := settings.api.rtmps_public_url:
            return bad(
                f"encoders are told {told}, but no certificate is set",
                "set LECTERN_INGEST_RTMPS_CERTIFICATE_FILE and LECTERN_INGEST_RTMPS_KEY_FILE",
            )
        return good("not used")
    try:
        Certificate(certificate, key)
        served = leaf(certificate)
    except CertificateFault as fault:
        return bad(str(fault), "see LECTERN_INGEST_RTMPS_CERTIFICATE_FILE and LECTERN_INGEST_RTMPS_KEY_FILE")
    return _judged(served, settings, now())


def _judged(served: x509.Certificate, settings: Settings, at: datetime) -> Finding:
    until = served.not_valid_after_utc
    if until <= at:
        return bad(f"it ended on {until:%Y-%m-%d}: encoders refuse it", _RENEW)
    if served.not_valid_before_utc > at:
        return bad(f"it holds from {served.not_valid_before_utc:%Y-%m-%d %H:%M} UTC only", "see this machine's clock")
    if until - at < SOON:
        return doubtful(f"it ends on {until:%Y-%m-%d}, in {(until - at).days} days", _RENEW)
    name = urlsplit(settings.api.rtmps_public_url).hostname
    if name and not _holds_for(served, name):
        return doubtful(f"it is not for {name}, which encoders are told", "get one with that name in it")
    return good(f"until {until:%Y-%m-%d}")


def _holds_for(served: x509.Certificate, name: str) -> bool:
    """RFC 6125 §6.4.3: the name itself, or a star for its first label; addresses as they are."""
    try:
        names = served.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    own = {text.lower() for text in names.get_values_for_type(x509.DNSName)}
    own |= {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    return name in own or "*." + name.partition(".")[2] in own
