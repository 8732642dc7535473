"""A real nginx with the files of deploy/nginx; only ports, paths and upstreams differ."""

import http.client
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from guide.paths import ROOT
from guide.servers import free_port
from tests.needs import need

NGINX = ROOT / "deploy" / "nginx"


def nginx() -> str:
    """Return the program; Debian keeps it outside the PATH of ordinary users."""
    return need(
        shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin"), "nginx is not installed"
    )


def certificate(folder: Path) -> Path:
    """Make a certificate for 127.0.0.1 and its key (`tls.crt`, `tls.key`); return the first."""
    program = need(shutil.which("openssl"), "openssl is not installed")
    subprocess.run(
        [
            *(program, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(folder / "tls.key"), "-out", str(folder / "tls.crt")),
        ],
        check=True,
        capture_output=True,
    )
    return folder / "tls.crt"


@dataclass(frozen=True)
class Answer:
    """An answer; header names are in lower case, each with all its values."""

    status: int
    headers: Mapping[str, Sequence[str]]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Proxy:
    """nginx at work, asked as the public would ask it."""

    folder: Path
    port: int
    plain_port: int

    def ask(
        self,
        path: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        source: str = "127.0.0.1",
    ) -> Answer:
        """Ask over TLS. The path is sent as it is; `source` is the visitor's address."""
        trust = ssl.create_default_context(cafile=str(self.folder / "tls.crt"))
        client = http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=60, context=trust, source_address=(source, 0)
        )
        return _asked(client, path, method, body, headers)

    def send(self, request: bytes) -> bytes:
        """Send bytes as they are, over TLS, and return all that comes back."""
        trust = ssl.create_default_context(cafile=str(self.folder / "tls.crt"))
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=60) as plain,
            trust.wrap_socket(plain, server_hostname="127.0.0.1") as sealed,
        ):
            sealed.sendall(request)
            return b"".join(iter(lambda: sealed.recv(65536), b""))

    def ask_plainly(self, path: str) -> Answer:
        """Ask without TLS."""
        client = http.client.HTTPConnection("127.0.0.1", self.plain_port, timeout=60)
        return _asked(client, path, "GET", None, None)

    @property
    def origin(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def log(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")


def _asked(client: Any, path: str, method: str, body: bytes | None, headers: Any) -> Answer:
    try:
        client.request(method, path, body, dict(headers or {}))
        answer = client.getresponse()
        found: dict[str, list[str]] = {}
        for name, value in answer.getheaders():
            found.setdefault(name.lower(), []).append(value)
        return Answer(answer.status, found, answer.read())
    finally:
        client.close()


def settings(
    folder: Path, assistants: Sequence[int], main: str = "compose.conf", enabled: Sequence[str] = ()
) -> Proxy:
    """Write the proxy's files into `folder`, with loopback addresses; return what they describe."""
    certificate(folder)
    shutil.copytree(NGINX, folder / "nginx")
    for name in enabled:
        shutil.copy(folder / "nginx" / "channels" / name, folder / "nginx" / "enabled")
    proxy = Proxy(folder, free_port(), free_port())
    servers = "".join(f"server 127.0.0.1:{port};" for port in assistants)
    text = (folder / "nginx" / main).read_text()
    text = re.sub(r"^        server .*;$", "", text, flags=re.MULTILINE)
    text = text.replace("upstream assistant {", f"upstream assistant {{ {servers}")
    text = re.sub(r"(ssl_certificate )\S+;", rf"\1{folder}/tls.crt;", text)
    text = re.sub(r"(ssl_certificate_key )\S+;", rf"\1{folder}/tls.key;", text)
    text = re.sub(r"^    root \S+;", f"    root {folder}/nginx;", text, flags=re.MULTILINE)
    text = re.sub(r"^pid \S+;", f"pid {folder}/nginx.pid;", text, flags=re.MULTILINE)
    text = text.replace("/dev/stderr", f"{folder}/error.log")
    if os.geteuid() == 0:
        text = "user root;\n" + text  # pytest's folders are for their owner alone
    common = (folder / "nginx" / "http.conf").read_text()
    common = common.replace("listen 80 ", f"listen 127.0.0.1:{proxy.plain_port} ")
    common = common.replace("listen 443 ", f"listen 127.0.0.1:{proxy.port} ")
    common = common.replace("127.0.0.1:8081", f"127.0.0.1:{free_port()}")
    common = common.replace("/dev/stdout", f"{folder}/access.log")
    for name, content in (("main.conf", text), ("http.conf", common)):
        content = content.replace("/tmp/kap-guide-", f"{folder}/cache-")
        (folder / "nginx" / name).write_text(content)
    return proxy


@contextmanager
def serving(folder: Path, assistants: Sequence[int], **given: Any) -> Iterator[Proxy]:
    """Run nginx in front of assistants on these loopback ports."""
    program = nginx()
    proxy = settings(folder, assistants, **given)
    process = subprocess.Popen(
        [program, "-c", str(folder / "nginx" / "main.conf"), "-g", "daemon off;"],
        stderr=subprocess.PIPE,
    )
    try:
        for _ in range(200):
            assert process.poll() is None, process.stderr and process.stderr.read()
            try:
                proxy.ask_plainly("/")
                break
            except OSError:
                time.sleep(0.05)
        yield proxy
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait(timeout=20)


@dataclass
class Upstream:
    """Stands in for an assistant and keeps what reached it: (method, path with query, headers)."""

    port: int
    server: ThreadingHTTPServer
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@contextmanager
def upstream() -> Iterator[Upstream]:
    """Run an upstream that answers everything with 200 and the path that it was asked for."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            found.seen.append((self.command, self.path, dict(self.headers)))
            body = f"this is {self.path}".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = answer

        def log_message(self, *given: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Upstream(server.server_address[1], server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield found
    finally:
        found.stop()
