"""HTTPS by real TLS clients, and certificates that are renewed under a running server."""

import asyncio
import logging
import os
import re
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.certificates import Pair, encrypt, make_pair, openssl
from tests.support.judge import SENTENCES, recognise
from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.serving import PATIENCE_SECONDS, serving, worker_process
from ttsworker.clock import SystemClock
from ttsworker.http.tls import Certificate, load_certificate
from ttsworker.settings import InvalidSettings, Settings


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return make_pair(tmp_path, "one")


@pytest.fixture
def other(tmp_path: Path) -> Pair:
    return make_pair(tmp_path, "two")


def environment(pair: Pair) -> dict[str, str]:
    return {"TTSWORKER_TLS_CERTIFICATE_FILE": str(pair.chain), "TTSWORKER_TLS_KEY_FILE": str(pair.key)}


def trusting(pair: Pair) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(pair.chain))


@asynccontextmanager
async def serving_tls(certificate: Certificate) -> AsyncIterator[int]:
    """Serve HTTPS in this process; yields the port."""
    async with serving(ArtificialEngine(), certificate=certificate) as served:
        yield served.port


def client_of(port: int, pair: Pair) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"https://127.0.0.1:{port}", verify=trusting(pair), timeout=PATIENCE_SECONDS)


async def shown(port: int, server_name: str | None = None) -> str:
    """Return the certificate that a new connection gets, as PEM; without a name the client sends no SNI."""

    def ask() -> str:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with (
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=server_name) as connection,
        ):
            der = connection.getpeercert(binary_form=True)
            assert der
            return ssl.DER_cert_to_PEM_cert(der).strip()

    return await asyncio.to_thread(ask)


def test_it_speaks_over_https_and_ends_well(pair: Pair) -> None:
    with worker_process({**environment(pair), "TTSWORKER_DRAIN_TIMEOUT_SECONDS": "20"}) as worker:
        worker.wait_for("ready")
        listening = worker.wait_for("listening")
        assert listening["scheme"] == "https"
        url = f"https://127.0.0.1:{listening['port']}"
        with httpx.Client(base_url=url, verify=trusting(pair), timeout=PATIENCE_SECONDS) as client:
            assert client.get("/ready").status_code == client.get("/health").status_code == 200
            answer = client.post("/v1/audio/speech", json={"input": SENTENCES[2], "response_format": "wav"})
            assert recognise(answer.content) == SENTENCES[2]
            assert httpx.get(worker.metrics_url, timeout=60).status_code == 200
            with pytest.raises(httpx.ConnectError, match="self-signed"):
                httpx.get(f"{url}/ready", timeout=PATIENCE_SECONDS)
            assert worker.terminate() == 0
    # The idle client does not confirm the end of its connection; that is not waited for, which would be told.
    assert [line for line in worker.lines if line["level"] != "INFO"] == []


async def test_a_renewed_certificate_is_shown_to_new_connections_and_old_ones_go_on(pair: Pair, other: Pair) -> None:
    certificate = Certificate(pair.chain, pair.key)
    first, second = pair.chain.read_text().strip(), other.chain.read_text().strip()
    async with serving_tls(certificate) as port:
        async with client_of(port, pair) as client:
            assert (await client.get("/ready")).status_code == 200
            assert await shown(port) == await shown(port, "worker.example") == first
            watching = asyncio.create_task(certificate.watch(SystemClock(), interval=0.01))
            other.copy_to(pair)
            async with asyncio.timeout(PATIENCE_SECONDS):
                while await shown(port) != second:
                    pass
            watching.cancel()
            assert await shown(port, "worker.example") == second
            assert (await client.get("/ready")).status_code == 200  # on the connection from before
        async with client_of(port, other) as client:
            assert (await client.get("/ready")).status_code == 200


@pytest.mark.parametrize("damage", ["another key", "no key", "half a chain"])
async def test_a_broken_renewal_keeps_the_old_certificate_and_is_told_once(
    pair: Pair, other: Pair, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    certificate = Certificate(pair.chain, pair.key)
    first, second = pair.chain.read_text(), other.chain.read_text()
    async with serving_tls(certificate) as port:
        caplog.clear()
        match damage:
            case "another key":
                pair.chain.write_text(second)
            case "no key":
                pair.key.unlink()
            case "half a chain":
                pair.chain.write_text(second[: len(second) // 2])
        for _ in range(3):
            certificate.reload()
            assert await shown(port) == first.strip()
        [told] = [record for record in caplog.records if record.levelno >= logging.ERROR]
        assert "keeping the previous one" in told.getMessage()
        assert str(pair.chain) in told.getMessage() or str(pair.key) in told.getMessage()
        other.copy_to(pair)
        certificate.reload()
        assert await shown(port) == second.strip()


def test_the_worker_itself_looks_for_renewed_certificates(pair: Pair, other: Pair) -> None:
    with worker_process(environment(pair)) as worker:
        port = worker.wait_for("listening")["port"]
        other.copy_to(pair)
        worker.wait_for("renewed TLS certificate")
        with httpx.Client(verify=trusting(other), timeout=PATIENCE_SECONDS) as client:
            assert client.get(f"https://127.0.0.1:{port}/health").status_code == 200


def test_tls_older_than_1_2_is_refused(pair: Pair, tmp_path: Path) -> None:
    lax = tmp_path / "openssl.cnf"  # else the client would not even try
    lax.write_text(
        "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\n"
        "MinProtocol = TLSv1\nCipherString = DEFAULT@SECLEVEL=0\n"
    )
    lenient = {**os.environ, "OPENSSL_CONF": str(lax)}
    with worker_process(environment(pair)) as worker:
        target = f"127.0.0.1:{worker.wait_for('listening')['port']}"

        def connect(version: str) -> str:
            return openssl("s_client", "-connect", target, version, environment=lenient)

        assert "Cipher is TLS_" in connect("-tls1_3")
        assert "Cipher is ECDHE-" in connect("-tls1_2")
        assert "Cipher is (NONE)" in connect("-tls1_1")


def test_clients_that_do_not_speak_tls_leave_no_trace_in_the_log(pair: Pair) -> None:
    with worker_process(environment(pair)) as worker:
        worker.wait_for("ready")
        port = worker.wait_for("listening")["port"]
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(f"http://127.0.0.1:{port}/ready", timeout=60)
        with socket.create_connection(("127.0.0.1", port)) as vanishing:
            vanishing.sendall(b"\x16\x03\x01")
        with httpx.Client(verify=trusting(pair), timeout=PATIENCE_SECONDS) as client:
            assert client.get(f"https://127.0.0.1:{port}/ready").status_code == 200
        assert worker.terminate() == 0
    assert [line for line in worker.lines if line["level"] not in {"INFO", "DEBUG"}] == []


Files = dict[str, Path | None]
Change = Callable[[Files, Path], object]


def only_the_certificate(files: Files, _: Path) -> None:
    files["tls_key_file"] = None


def only_the_key(files: Files, _: Path) -> None:
    files["tls_certificate_file"] = None


def no_such_file(files: Files, folder: Path) -> None:
    files["tls_key_file"] = folder / "nowhere"


def another_key(files: Files, folder: Path) -> None:
    files["tls_key_file"] = make_pair(folder, "other").key


def a_key_of_another_kind(files: Files, _: Path) -> None:
    files["tls_key_file"] = Path(__file__).parents[2] / "support" / "tls" / "key.pem"


def no_pem(files: Files, folder: Path) -> None:
    files["tls_certificate_file"] = folder / "junk"
    (folder / "junk").write_text("junk")


def with_a_passphrase(files: Files, folder: Path) -> None:
    files["tls_key_file"] = encrypt(Pair(folder / "one.crt", folder / "one.key"), folder / "encrypted.key")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (only_the_certificate, "set TTSWORKER_TLS_KEY_FILE as well"),
        (only_the_key, "set TTSWORKER_TLS_CERTIFICATE_FILE as well"),
        (no_such_file, "nowhere cannot be read: No such file or directory"),
        (another_key, "is not the key of tls_certificate_file"),
        (a_key_of_another_kind, "is not the key of tls_certificate_file"),
        (no_pem, "is not valid PEM"),
        (with_a_passphrase, "is encrypted: set the key without a passphrase"),
    ],
)
def test_a_certificate_that_cannot_be_used_is_told_in_one_line(
    pair: Pair, tmp_path: Path, change: Change, words: str
) -> None:
    files: Files = {"tls_certificate_file": pair.chain, "tls_key_file": pair.key}
    change(files, tmp_path)
    settings = Settings.model_validate(files)
    with pytest.raises(InvalidSettings, match=re.escape(words)) as raised:
        load_certificate(settings)
    assert "\n" not in str(raised.value)


def test_a_certificate_that_cannot_be_used_is_a_settings_error(pair: Pair) -> None:
    with worker_process({"TTSWORKER_TLS_CERTIFICATE_FILE": str(pair.chain)}) as worker:
        assert worker.process.wait(PATIENCE_SECONDS) == 2
    [line] = worker.lines
    assert (line["level"], line["reason"]) == ("CRITICAL", "ConfigInvalid")
