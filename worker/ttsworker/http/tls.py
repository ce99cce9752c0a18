"""HTTPS: the certificate of the API, and its renewal on disk while the server runs.

Kubernetes changes the files of a mounted Secret in place. A renewed certificate and key are loaded into a context of
their own. Once that has succeeded, new connections get this context: the listening context hands each of them over
before its handshake. So a certificate is never used with another one's key.
"""

import asyncio
import hashlib
import logging
import ssl
import time
from pathlib import Path

from ttscontract.pods import VARIABLE_PREFIX
from ttsworker.clock import Clock
from ttsworker.settings import InvalidSettings, Settings

CHECK_SECONDS = 10.0
"""Between two checks of the files; kubelet itself takes up to a minute to change them."""

_NOT_ITS_KEY = {"KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED"}

log = logging.getLogger(__name__)


class Certificate:
    """A certificate chain and its key, as PEM files. `context` is what a server listens with.

    Raises InvalidSettings where the files cannot be used.
    """

    def __init__(self, chain: Path, key: Path) -> None:
        self._chain = chain
        self._key = key
        self._seen = self._fingerprint()
        self._current = self.context = self._load()
        self.context.sni_callback = self._hand_over  # called for clients that name no server, too

    def reload(self) -> None:
        """Use the pair that is on disk now; logs a pair that cannot be used once, and keeps the former one."""
        found = self._fingerprint()
        if found == self._seen:
            return
        self._seen = found  # before the files are loaded, so that the next check finds a change in between
        try:
            self._current = self._load()
        except InvalidSettings as error:
            log.error("cannot use the renewed TLS certificate, keeping the previous one: %s", error)
        else:
            log.info("renewed TLS certificate", extra={"file": self._chain})

    async def watch(self, clock: Clock, interval: float = CHECK_SECONDS) -> None:
        """Reload every `interval` seconds, for ever; in a thread, as a volume may be slow."""
        while True:
            await clock.sleep(interval)
            await asyncio.to_thread(self.reload)

    def _hand_over(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = self._current

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(self._chain, self._key, password=self._refuse_encrypted)
        except ssl.SSLError as error:
            raise InvalidSettings(self._problem(error)) from error
        except OSError as error:
            raise InvalidSettings(f"{self._unreadable()} cannot be read: {error.strerror}") from error
        return context

    def _fingerprint(self) -> str:
        try:
            return " ".join(hashlib.sha256(path.read_bytes()).hexdigest() for path in (self._chain, self._key))
        except OSError as error:
            return str(error)

    def _problem(self, error: ssl.SSLError) -> str:
        if error.reason in _NOT_ITS_KEY:
            return f"tls_key_file {self._key} is not the key of tls_certificate_file {self._chain}: set a matching pair"
        reason = (error.reason or "not PEM").replace("_", " ").lower()
        return f"tls_certificate_file {self._chain} or tls_key_file {self._key} is not valid PEM ({reason})"

    def _unreadable(self) -> str:
        for name, path in (("tls_certificate_file", self._chain), ("tls_key_file", self._key)):
            try:
                path.read_bytes()
            except OSError:
                return f"{name} {path}"
        return f"tls_certificate_file {self._chain} or tls_key_file {self._key}"

    def _refuse_encrypted(self) -> bytes:
        """OpenSSL calls this for an encrypted key only; without it, it would ask for a password on the terminal."""
        raise InvalidSettings(f"tls_key_file {self._key} is encrypted: set the key without a passphrase")


def load_certificate(settings: Settings) -> Certificate | None:
    """Return the certificate that the settings name, None for plain HTTP; raises InvalidSettings."""
    chain, key = settings.tls_certificate_file, settings.tls_key_file
    if chain and key:
        return Certificate(chain, key)
    if chain or key:
        missing = "TLS_KEY_FILE" if chain else "TLS_CERTIFICATE_FILE"
        raise InvalidSettings(
            f"tls_certificate_file and tls_key_file belong together: set {VARIABLE_PREFIX}{missing} as well"
        )
    return None


def expiry(context: ssl.SSLContext, chain: Path) -> float | None:
    """Return the days for which a loaded certificate is still valid, None for one that is not.

    Does a handshake in memory, because the standard library shows the fields of verified certificates only.
    """
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # trust the certificate itself, without its CA
    client.load_verify_locations(chain)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(to_client, to_server)
    answering = context.wrap_bio(to_server, to_client, server_side=True)
    try:
        while not all([_step(asking), _step(answering)]):  # a list: both take their step
            pass
    except ssl.SSLCertVerificationError:
        return None
    shown = asking.getpeercert() or {}
    return (ssl.cert_time_to_seconds(str(shown["notAfter"])) - time.time()) / 86_400


def _step(side: ssl.SSLObject) -> bool:
    """Go on with a handshake; true at its end."""
    try:
        side.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True
