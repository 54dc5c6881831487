"""The local authority issues what must be accepted, and what must be refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from avow.testing.certificates import Authority, Issued


def read(issued: Issued) -> x509.Certificate:
    return x509.load_pem_x509_certificate(issued.certificate.read_bytes())


def test_a_certificate_is_signed_by_the_authority_for_loopback(tmp_path: Path) -> None:
    authority = Authority.create(tmp_path / "new" / "folder")
    certificate = read(authority.issue("peer"))
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.ca.read_bytes()))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)


def test_an_expired_certificate_ended_about_a_day_ago(tmp_path: Path) -> None:
    authority = Authority.create(tmp_path)
    ended = datetime.now(UTC) - read(authority.issue("old", expired=True)).not_valid_after_utc
    assert timedelta(hours=23) < ended < timedelta(hours=25)
    assert read(authority.issue("new")).not_valid_after_utc > datetime.now(UTC) + timedelta(days=300)


def test_private_keys_are_for_the_owner_only_and_the_authority_writes_none_of_its_own(tmp_path: Path) -> None:
    authority = Authority.create(tmp_path)
    issued = authority.issue("peer")
    authority.issue("peer")
    assert issued.key.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir() if b"PRIVATE" in path.read_bytes()] == ["peer.key"]
