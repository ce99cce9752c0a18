"""What an administrator may set, each from an environment variable `TTS_OPERATOR_<NAME>`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from ttscontract.pods import METRICS_PORT

PREFIX: Final = "TTS_OPERATOR_"


class Settings(BaseSettings):
    """The operator's own settings, read once at the start."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    worker_image: str = Field("localhost/tts-worker:dev", min_length=1)
    """Image of workers and download Jobs; the chart pins it to the operator's own release."""

    worker_image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"

    namespaces: Annotated[tuple[str, ...], NoDecode] = ()
    """Namespaces to serve, separated by commas. Empty: the whole cluster, which needs a ClusterRole."""

    pod_name: str = "local"
    """Identity in the Lease; the chart fills it from the downward API."""

    pod_namespace: str = "default"
    """Where the Lease lives."""

    lease_name: str = "tts-operator"
    """Two installations that serve different namespaces need different names when they share a namespace."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    workers: int = Field(16, ge=1, le=64)
    """Passes at once, each for another TTSService. More only helps while the API server has idle cores."""

    metrics_port: int = Field(METRICS_PORT, ge=1, le=65535)
    """Port of /metrics, /healthz and /readyz."""

    custom_metrics_port: int = Field(6443, ge=1, le=65535)
    """Port of the aggregated API custom.metrics.k8s.io."""

    custom_metrics_cert_dir: Path | None = None
    """Folder with tls.crt and tls.key for that port. Unset: that API is off and HPAs have no queue to read."""

    @field_validator("namespaces", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(name.strip() for name in value.split(",") if name.strip())
        return value

    @field_validator("custom_metrics_cert_dir", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return value or None
