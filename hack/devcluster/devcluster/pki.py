"""The cluster's keys and certificates, made with openssl."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from devcluster.terminal import Failure

_DAYS = "3650"
_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Authority:
    """A certificate authority whose key is in the same folder as the certificates."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._request = folder / "request.conf"  # the system's default configuration would make every leaf an authority
        self._request.write_text("[req]\ndistinguished_name = name\n[name]\n")
        self._certify(name, f"/CN=devcluster-{name}", ["basicConstraints=critical,CA:TRUE", "keyUsage=keyCertSign"])

    def issue(self, name: str, user: str, *, groups: Sequence[str] = (), hosts: Sequence[str] = ()) -> None:
        """Write name.key and name.crt for a client, or for a server as well when it has hosts (`IP:…`, `DNS:…`)."""
        usages = "clientAuth,serverAuth" if hosts else "clientAuth"
        extensions = ["basicConstraints=critical,CA:FALSE", f"extendedKeyUsage={usages}"]
        if hosts:
            extensions.append("subjectAltName=" + ",".join(hosts))
        subject = "".join(f"/O={group}" for group in groups) + f"/CN={user}"
        signer = ["-CA", f"{self._folder}/{self._name}.crt", "-CAkey", f"{self._folder}/{self._name}.key"]
        self._certify(name, subject, extensions, signer)

    def _certify(self, name: str, subject: str, extensions: list[str], signer: Sequence[str] = ()) -> None:
        out = ["-keyout", f"{self._folder}/{name}.key", "-out", f"{self._folder}/{name}.crt"]
        added = [word for extension in extensions for word in ("-addext", extension)]
        _openssl("req", "-x509", *_NEW_KEY, "-config", str(self._request), "-days", _DAYS, "-subj", subject,
                 *added, *signer, *out)  # fmt: skip


def make_signing_key(folder: Path, name: str) -> None:
    """Write a bare key pair that signs service account tokens: name.key and name.pub."""
    _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", f"{folder}/{name}.key")
    _openssl("pkey", "-in", f"{folder}/{name}.key", "-pubout", "-out", f"{folder}/{name}.pub")


def _openssl(*arguments: str) -> None:
    result = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    if result.returncode:
        raise Failure(f"openssl {arguments[0]} failed: {result.stderr.strip()}")
