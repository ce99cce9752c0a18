"""The worker's settings: a JSON file (the ConfigMap), each overridden by TTSWORKER_<NAME> in the environment."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from ttscontract.reasons import Reason
from ttsworker.http.access.clients import parse_networks
from ttsworker.http.access.limits import MIN_RATE
from ttsworker.observe.logs import TextLogging

PREFIX = "TTSWORKER_"
CONFIG_VARIABLE = "TTSWORKER_CONFIG"

Precision = Literal["Auto", "Float32", "Float16", "BFloat16"]


class Fallback(BaseModel):
    """A model that is used when those before it cannot be loaded or keep failing."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    engine: str = "hibari"
    model_dir: Path | None = None
    model_name: str | None = Field(None, max_length=256)


class InvalidSettings(Exception):
    """A setting that is unknown or has a wrong value; the message says in one line which."""

    reason = Reason.CONFIG_INVALID


class Settings(BaseSettings):
    """What the operator writes into worker.json. Times are in seconds, lengths in characters."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True, protected_namespaces=()
    )
    file_values: ClassVar[dict[str, Any]] = {}

    engine: str = Field("hibari", description="An engine by its entry point's name: hibari or coqui.")
    model_dir: Path | None = Field(None, description="A published model; without one the engine's embedded voice.")
    model_name: str | None = Field(None, max_length=256, description="What clients call the model; the engine knows.")
    fallbacks: list[Fallback] = Field([], max_length=8, description="Models to use, in order, when that one fails.")
    precision: Precision = Field("Auto", description="Auto lowers it only where that is safe and faster.")
    threads: int = Field(0, ge=0, le=1024, description="CPU threads of the engine; 0 takes the container's limit.")

    max_concurrency: int = Field(8, ge=1, le=1024, description="Requests spoken in turn; more wait.")
    max_batch_size: int = Field(5, ge=1, le=64, description="Sentences spoken in one call, where the engine can.")
    max_queue_length: int = Field(64, ge=0, le=100_000, description="Requests that may wait; beyond it 429.")
    max_queue_audio_seconds: float = Field(120, gt=0, le=86_400, description="Audio that may wait; beyond it 429.")
    max_text_length: int = Field(4096, ge=1, le=1_000_000, description="Characters of one request.")
    request_timeout_seconds: float = Field(60, gt=0, le=3600, description="The longest wait for the next audio.")
    drain_timeout_seconds: float = Field(30, gt=0, le=3600, description="From SIGTERM to the end of the last request.")
    health_interval_seconds: float = Field(30, gt=0, le=3600, description="Between two test syntheses.")

    redis_url: SecretStr | None = Field(None, description="redis:// or rediss://; shares cache and rate limits.")
    cache_ttl_seconds: int = Field(3600, ge=0, le=31_536_000, description="Life of cached audio; 0 caches nothing.")
    cache_memory_bytes: int = Field(64 * 2**20, ge=0, description="Bound of the cache in memory, without a Redis.")

    api_keys_file: Path | None = Field(None, description="Keys of clients, a line each; without it nobody needs one.")
    rate_limit_per_second: float = Field(10, ge=0, le=100_000, description="Of speech, for each client; 0 is no limit.")
    rate_limit_burst: int = Field(20, ge=1, le=100_000, description="Requests at once that the limit lets through.")
    trusted_proxies: Annotated[list[str], NoDecode] = Field(
        [], description="Networks whose X-Forwarded-For is believed, such as 10.0.0.0/8; commas between them."
    )
    tls_certificate_file: Path | None = Field(None, description="PEM chain; with it the API is HTTPS.")
    tls_key_file: Path | None = Field(None, description="The certificate's private key, PEM.")

    text_logging: TextLogging = Field("Masked", description="What of a text the log shows.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    termination_log: Path = Field(
        Path("/dev/termination-log"), description="Gets the reason of a failed start; only written where it exists."
    )

    host: str = Field("0.0.0.0", description="Address to listen on; :: is IPv6 and IPv4.")
    port: int = Field(5002, ge=0, le=65535, description="Of the API; 0 takes a free one and logs it.")
    metrics_port: int = Field(9090, ge=0, le=65535, description="Of /metrics; 0 takes a free one and logs it.")

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _split_at_commas(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("trusted_proxies")
    @classmethod
    def _check_networks(cls, value: list[str]) -> list[str]:
        parse_networks(value)
        return value

    @field_validator("rate_limit_per_second")
    @classmethod
    def _check_rate(cls, value: float) -> float:
        if 0 < value < MIN_RATE:
            raise ValueError(f"it is 0 for no limit, or at least {MIN_RATE:g}")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment, which wins over the file."""
        return init_settings, env_settings, InitSettingsSource(settings_cls, cls.file_values)


def load_settings(environ: Mapping[str, str] = os.environ, *, options: Mapping[str, Any] | None = None) -> Settings:
    """Read the file that TTSWORKER_CONFIG names, if any, the environment and options; raises InvalidSettings."""
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {CONFIG_VARIABLE}
    if unknown := sorted(name for name in environ if name.startswith(PREFIX) and name.upper() not in known):
        message = f"{unknown[0]} is not a setting; known are {', '.join(sorted(known))}"
        raise InvalidSettings(message)
    path = Path(environ[CONFIG_VARIABLE]) if environ.get(CONFIG_VARIABLE) else None
    values = _read(path) if path else {}

    class FromFile(Settings):
        file_values = values

    try:
        return FromFile(**options or {})
    except ValidationError as error:
        raise InvalidSettings(_first_problem(error, path)) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_bytes())
    except OSError as error:
        message = f"{CONFIG_VARIABLE} names {path}, which cannot be read: {error.strerror}"
        raise InvalidSettings(message) from error
    except ValueError as error:
        message = f"{path} is not JSON: {error}"
        raise InvalidSettings(message) from error
    if not isinstance(values, dict):
        message = f"{path} is not a JSON object but a {type(values).__name__}"
        raise InvalidSettings(message)
    return values


def _first_problem(error: ValidationError, path: Path | None) -> str:
    problem: Any = error.errors(include_url=False)[0]
    name = ".".join(str(part) for part in problem["loc"])
    where = f"{path} or {PREFIX}{name.upper()}" if path else PREFIX + name.upper()
    if problem["type"] == "extra_forbidden":
        return f"{name} is not a setting (in {where}); known are {', '.join(sorted(Settings.model_fields))}"
    return f"{name} (from {where}) is {problem['input']!r}: {problem['msg']}"
