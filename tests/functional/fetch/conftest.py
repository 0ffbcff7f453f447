"""A server on loopback and a downloader that may call it; a certificate for both."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from typing import TYPE_CHECKING

import pytest

from tests.functional.fetch.downloads import downloader, picture
from tests.functional.loopback import LoopbackServer

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def server():
    with LoopbackServer({"/picture": picture}) as server:
        yield server


@pytest.fixture
def client():
    with downloader() as client:
        yield client


@pytest.fixture(scope="session")
def issue(tmp_path_factory):
    """Makes a file with a self-signed certificate for picture.test and 127.0.0.1, and its key, valid for some days."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    def issued(first_day: int, last_day: int, hosts: tuple[str, ...] = ("picture.test", "127.0.0.1")) -> Path:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "picture.test")])
        now = dt.datetime.now(dt.UTC)
        names = [
            x509.DNSName(host) if host.endswith(".test") else x509.IPAddress(ipaddress.ip_address(host))
            for host in hosts
        ]
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + dt.timedelta(days=first_day))
            .not_valid_after(now + dt.timedelta(days=last_day))
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        path = tmp_path_factory.mktemp("tls") / "server.pem"
        path.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return path

    return issued


@pytest.fixture(scope="session")
def certificate(issue):
    """One that is valid today."""
    return issue(-1, 1)


@pytest.fixture(scope="module")
def authority(certificate):
    """The context of a server with this certificate, and one that trusts it."""
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate)
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.load_verify_locations(certificate)
    return serving, trusting
