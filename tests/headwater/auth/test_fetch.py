"""Asking an auth provider: bounded in time and size, and led nowhere else."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from headwater.auth import fetch
from headwater.auth.fetch import Unreachable, fetch_json
from headwater.settings import Limits
from tests.local_issuer import make_key

Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def serving(answer: Answer, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server that answers everything so, over TLS if told to; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.server_address[1]}/x"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def answering(body: bytes, status: int = 200, **headers: str) -> Answer:
    """An answer with a body."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    return answer


def endless(request: BaseHTTPRequestHandler) -> None:
    """An answer that goes on until its reader has had enough."""
    request.send_response(200)
    request.end_headers()
    try:
        while True:
            request.wfile.write(b" " * 10_000)
    except OSError:
        return


def cut_off(request: BaseHTTPRequestHandler) -> None:
    """An answer that ends in the middle."""
    request.send_response(200)
    request.send_header("Content-Length", "100")
    request.end_headers()
    request.wfile.write(b"{")


def fetched(url: str, **limits: Any) -> tuple[Any, float]:
    """What is there."""
    return asyncio.run(fetch_json(url, Limits(**limits)))


def test_a_document_and_how_long_it_is_good() -> None:
    """As its Cache-Control says."""
    with serving(answering(b'{"a": 1}', Cache_Control="public, max-age=7")) as url:
        assert fetched(url) == ({"a": 1}, 7.0)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (answering(b"{}", 404), "answered with status 404"),
        (answering(b"", 302, Location="/elsewhere"), "answered with status 302"),
        (answering(b"<html>"), "did not answer with JSON"),
        (answering(b"\xff"), "did not answer with JSON"),
        (answering(b" " * 3_000 + b"{}"), "answered with more than 2000 bytes"),
        (endless, "answered with more than 2000 bytes"),
        (cut_off, "peer closed connection|incomplete"),
        (lambda request: request.connection.close(), "http://127"),
    ],
)
def test_another_answer_is_none(answer: Answer, why: str) -> None:
    """Each with why; a redirect is not followed, and nothing is read without end."""
    with serving(answer) as url, pytest.raises(Unreachable, match=why):
        fetched(url, keys_bytes=2_000)


def certificate(folder: Path) -> ssl.SSLContext:
    """A server's side of TLS, with a certificate that it signed itself."""
    key, name = make_key("ES256"), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "local")])
    now, day = datetime.now(UTC), timedelta(days=1)
    host = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now - day, now + day)
    signed = made.add_extension(host, critical=False).sign(key, hashes.SHA256())
    (folder / "cert.pem").write_bytes(signed.public_bytes(Encoding.PEM))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def test_over_https_the_certificate_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that nobody vouches for is refused; one that the machine is told to trust is not."""
    with serving(answering(b"{}"), certificate(tmp_path)) as url:
        fetch._tls.cache_clear()
        with pytest.raises(Unreachable, match="certificate verify failed"):
            fetched(url)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
        fetch._tls.cache_clear()
        assert fetched(url)[0] == {}
    fetch._tls.cache_clear()


def test_who_drips_is_too_slow() -> None:
    """The time is for the whole answer, not from one byte to the next."""
    over = threading.Event()

    def drip(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while not over.wait(0.01):
            request.wfile.write(b" ")

    with serving(drip) as url:
        with pytest.raises(Unreachable, match=r"did not answer within 0\.1 s"):
            fetched(url, keys_fetch_s=0.1)
        over.set()


def test_nobody_there_is_said_so() -> None:
    """A port nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Unreachable, match="http://127"):
        fetched(f"http://127.0.0.1:{port}/")


def test_a_proxy_is_passed_by_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is configured for the outside world does not know what runs here."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with serving(answering(b"{}")) as url:
        assert fetched(url)[0] == {}
