"""Certificates for tests: signed by themselves, with any dates, written as two PEM files."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


class Pair(NamedTuple):
    certificate: Path
    key: Path


def write_pair(folder: Path, name: str = "localhost", days: float = 30, pass_phrase: bytes = b"") -> Pair:
    """A certificate for `name` that ends in `days` (negative: ended) and its key, over what was there."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    ends = datetime.now(UTC) + timedelta(days=days)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(ends - timedelta(days=90)).not_valid_after(ends)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    pair = Pair(folder / "certificate.pem", folder / "key.pem")
    locked = serialization.BestAvailableEncryption(pass_phrase) if pass_phrase else serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
    pair.key.write_bytes(secret)
    pair.certificate.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return pair


def serial(certificate: bytes) -> int:
    """The serial number of a certificate in DER, as a TLS connection gives it."""
    return x509.load_der_x509_certificate(certificate).serial_number
