"""Certificates for tests, made by the openssl program."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Pair:
    """A certificate of 127.0.0.1 that signs itself, and its key, as PEM files."""

    chain: Path
    key: Path

    def copy_to(self, other: "Pair") -> None:
        """Put this pair where another one is."""
        shutil.copy(self.chain, other.chain)
        shutil.copy(self.key, other.key)


def openssl(*arguments: str, stdin: str = "", environment: dict[str, str] | None = None) -> str:
    """Run openssl and return all it says."""
    done = subprocess.run(
        ["openssl", *arguments],
        input=stdin,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stdout


def make_pair(folder: Path, name: str, *, days: int = 30) -> Pair:
    """Make a new pair."""
    pair = Pair(folder / f"{name}.crt", folder / f"{name}.key")
    subject = ["-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-days", str(days)]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    said = openssl("req", "-x509", *kind, *subject, "-keyout", str(pair.key), "-out", str(pair.chain))
    assert pair.chain.exists(), said
    return pair


def encrypt(pair: Pair, target: Path) -> Path:
    """Write the pair's key with a passphrase."""
    openssl("pkey", "-in", str(pair.key), "-aes128", "-passout", "pass:secret", "-out", str(target))
    return target


def make_expired(folder: Path, name: str) -> Pair:
    """Make a pair whose certificate was valid in 2020."""
    pair = make_pair(folder, name)
    (folder / "index.txt").touch()
    config = folder / "ca.cnf"
    config.write_text(
        f"[ca]\ndefault_ca = d\n[d]\ndatabase = {folder}/index.txt\ndefault_md = sha256\nrand_serial = yes\n"
        f"new_certs_dir = {folder}\npolicy = p\n[p]\ncommonName = supplied\n"
    )
    request = folder / "request.csr"
    openssl("req", "-new", "-key", str(pair.key), "-subj", f"/CN={name}", "-out", str(request))
    years = ["-startdate", "20200101000000Z", "-enddate", "20210101000000Z"]
    signing = ["-batch", "-selfsign", "-notext", "-keyfile", str(pair.key), "-in", str(request)]
    pair.chain.unlink()
    said = openssl("ca", "-config", str(config), *signing, *years, "-out", str(pair.chain))
    assert pair.chain.exists(), said
    return pair


class Authority:
    """A CA on disk that signs certificates."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = name
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
                      "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.crt")  # fmt: skip

    @property
    def pem(self) -> str:
        return (self.folder / f"{self.name}.crt").read_text()

    def sign(self, common_name: str, file: str) -> None:
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                      "-subj", f"/CN={common_name}",
                      "-keyout", f"{file}.key", "-out", f"{file}.csr")  # fmt: skip
        extensions = self.folder / f"{file}.ext"
        extensions.write_text("subjectAltName=IP:127.0.0.1\n")
        self._openssl("x509", "-req", "-in", f"{file}.csr", "-CA", f"{self.name}.crt", "-CAkey", f"{self.name}.key",
                      "-days", "1", "-extfile", extensions.name, "-out", f"{file}.crt")  # fmt: skip

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)
