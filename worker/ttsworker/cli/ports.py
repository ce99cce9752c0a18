"""Find out who uses a port: nobody, the worker in the same container as `ttsworker check`, or another program."""

import httpx

from ttscontract.metrics import MAX_CONCURRENCY
from ttscontract.pods import HEALTH_PATH, METRICS_PATH
from ttsworker.http.server import listen
from ttsworker.settings import InvalidSettings, Settings

ANSWER_SECONDS = 5.0
"""Timeout for a worker's answer; its health and metrics never wait for a synthesis."""

_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def check_port(settings: Settings, name: str) -> str:
    """Return the state of this setting's port; raise InvalidSettings if another program uses it."""
    port: int = getattr(settings, name)
    try:
        listen(settings.host, port, setting=name.upper()).close()
    except InvalidSettings:
        is_ours = _serves_metrics if name == "metrics_port" else _serves_speech
        if not is_ours(settings):
            raise
        return f"{port} is in use by this worker"
    return f"{port} is free" if port else "0 selects a free port"


def _serves_speech(settings: Settings) -> bool:
    scheme = "https" if settings.tls_certificate_file else "http"
    answer = _ask(settings.host, settings.port, HEALTH_PATH, scheme)
    try:
        return answer is not None and {"status", "problem"} <= answer.json().keys()
    except (ValueError, AttributeError):  # it is not JSON, or not an object
        return False


def _serves_metrics(settings: Settings) -> bool:
    answer = _ask(settings.host, settings.metrics_port, METRICS_PATH)
    return answer is not None and f"# TYPE {MAX_CONCURRENCY.name} " in answer.text


def _ask(host: str, port: int, path: str, scheme: str = "http") -> httpx.Response | None:
    address = _LOOPBACK.get(host, host)
    url = httpx.URL(scheme=scheme, host=address, port=port, path=path)
    try:
        # The certificate is for a name of the service, not for this address.
        return httpx.get(url, verify=False, timeout=ANSWER_SECONDS, trust_env=False)  # noqa: S501
    except httpx.HTTPError:
        return None
