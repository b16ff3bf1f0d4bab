# SPDX-License-Identifier: Apache-2.0
"""What stands in front of the proxy in the tests: Debian's nginx and Caddy with TLS by an authority of the test's own."""

import shutil
import socket
import ssl
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from certificates import Authority
from ports import free_port
from proxy import Client

ROOT = Path(__file__).resolve().parents[3]


def until_listening(port, process, seconds=20):
    end = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"{process.args[0]} does not listen") from None
            time.sleep(0.02)


def site_proxy():
    """How the site that a bootstrap makes passes requests on."""
    text = (ROOT / "templates" / "caddy" / "Caddyfile").read_text()
    return text[text.index("\t@moderate"):text.index("}\n{%", text.index("\t@moderate"))]


class FrontCase(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="sentinel-front-")
        self.addCleanup(self.directory.cleanup)
        self.path = Path(self.directory.name)
        self.path.chmod(0o755)
        self.authority = Authority(self.path)
        self.certificate, self.key = self.authority.leaf("front")
        self.trust = ssl.create_default_context(cafile=self.authority.file)

    def start(self, command, port, **named):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **named)

        def end():
            process.terminate()
            process.wait(timeout=20)

        self.addCleanup(end)
        until_listening(port, process)

    def nginx(self, to):
        """Its port; `to` as in proxy_pass."""
        port = free_port()
        (self.path / "nginx.conf").write_text(f"""
daemon off; pid {self.path}/nginx.pid; error_log {self.path}/error.log; events {{}} user root;
http {{
  access_log off; client_body_temp_path {self.path}/body; proxy_temp_path {self.path}/temp;
  fastcgi_temp_path {self.path}/f; uwsgi_temp_path {self.path}/u; scgi_temp_path {self.path}/s;
  upstream proxy {{ server {to}; keepalive 8; }}
  server {{
    listen 127.0.0.1:{port} ssl; ssl_certificate {self.certificate}; ssl_certificate_key {self.key};
    location / {{ proxy_pass http://proxy; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; }}
  }}
}}""")
        self.start([shutil.which("nginx", path="/usr/sbin:/usr/bin"), "-c", str(self.path / "nginx.conf")], port)
        return port

    def caddy(self, to):
        port = free_port()
        (self.path / "Caddyfile").write_text(f"""{{
  admin off
  auto_https off
}}
(app) {{
  to {to}
}}
:{port} {{
  bind 127.0.0.1
  tls {self.certificate} {self.key}
{site_proxy()}}}
""")
        self.start([shutil.which("caddy"), "run", "--adapter", "caddyfile", "--config", str(self.path / "Caddyfile")], port,
                   env={"HOME": str(self.path), "XDG_DATA_HOME": str(self.path), "XDG_CONFIG_HOME": str(self.path)})
        return port

    def tls_client(self, port):
        client = Client(port)
        client.socket = self.trust.wrap_socket(client.socket, server_hostname="localhost")
        return client
