"""Settings come from the environment; a bad one is refused."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from ttsoperator.settings import Settings


def test_every_setting_has_a_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"TTS_OPERATOR_{name.upper()}", raising=False)
    settings = Settings()
    assert settings.namespaces == ()
    assert settings.custom_metrics_cert_dir is None


def test_the_environment_sets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = {
        "WORKER_IMAGE": "registry.example/worker:1",
        "WORKER_IMAGE_PULL_POLICY": "Always",
        "NAMESPACES": "speech, lab ,",
        "POD_NAME": "op-1",
        "POD_NAMESPACE": "tts-system",
        "LEASE_NAME": "mine",
        "LOG_LEVEL": "DEBUG",
        "WORKERS": "3",
        "METRICS_PORT": "1",
        "CUSTOM_METRICS_PORT": "2",
        "CUSTOM_METRICS_CERT_DIR": "/etc/tls",
    }
    for name, value in chosen.items():
        monkeypatch.setenv(f"TTS_OPERATOR_{name}", value)
    assert set(chosen) == {name.upper() for name in Settings.model_fields}, "a setting that this test leaves out"
    settings = Settings()
    assert settings.namespaces == ("speech", "lab")
    assert settings.worker_image == "registry.example/worker:1"
    assert settings.worker_image_pull_policy == "Always"
    assert (settings.metrics_port, settings.custom_metrics_port, settings.workers) == (1, 2, 3)
    assert settings.custom_metrics_cert_dir == Path("/etc/tls")
    assert (settings.pod_name, settings.pod_namespace, settings.lease_name) == ("op-1", "tts-system", "mine")
    assert settings.log_level == "DEBUG"


def test_an_empty_certificate_folder_switches_the_api_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTS_OPERATOR_CUSTOM_METRICS_CERT_DIR", "")
    assert Settings().custom_metrics_cert_dir is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("METRICS_PORT", "99999"),
        ("WORKERS", "0"),
        ("LOG_LEVEL", "LOUD"),
        ("WORKER_IMAGE", ""),
        ("WORKER_IMAGE_PULL_POLICY", "x"),
    ],
)
def test_a_bad_value_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"TTS_OPERATOR_{name}", value)
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert caught.value.errors()[0]["loc"] == (name.lower(),)
