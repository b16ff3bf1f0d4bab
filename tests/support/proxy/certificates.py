# SPDX-License-Identifier: Apache-2.0
"""Certificates for tests, made with openssl: an authority, and leaves of it."""

import subprocess
from pathlib import Path


class Authority:
    def __init__(self, directory, name="authority"):
        self.directory = Path(directory)
        self.file = self.directory / f"{name}.pem"
        self.key = self.directory / f"{name}.key"
        self._run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                  "-addext", "basicConstraints=critical,CA:TRUE", "-keyout", self.key, "-out", self.file)

    def _run(self, *arguments, **named):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, **named)

    def leaf(self, name, subjects=("DNS:localhost", "IP:127.0.0.1"), days=2):
        """(certificate, key); a negative number of days: expired."""
        certificate, key, request = (self.directory / f"{name}.{kind}" for kind in ("pem", "key", "csr"))
        self._run("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                  "-addext", "subjectAltName=" + ",".join(subjects), "-keyout", key, "-out", request)
        # openssl x509 can't make a certificate that is already over; openssl ca can, with dates.
        (self.directory / "index.txt").write_text("")
        (self.directory / "serial").write_text("01\n")
        (self.directory / "ca.conf").write_text(
            "[ca]\ndefault_ca=d\n[d]\ndatabase={0}/index.txt\nserial={0}/serial\nnew_certs_dir={0}\ndefault_md=sha256\npolicy=p\n"
            "unique_subject=no\ncopy_extensions=copy\n[p]\ncommonName=supplied\n".format(self.directory))
        dates = ["-startdate", "20200101000000Z", "-enddate", "20200201000000Z"] if days < 0 else ["-days", str(days)]
        self._run("ca", "-batch", "-config", self.directory / "ca.conf", "-cert", self.file, "-keyfile", self.key, "-in", request,
                  "-out", certificate, "-notext", *dates)
        return certificate, key
