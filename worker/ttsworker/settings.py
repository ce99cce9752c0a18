"""The worker's settings: a JSON file (the ConfigMap); a variable TTSWORKER_<NAME> overrides the setting of its name."""

import json
import os
import re
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from ttscontract import worker_config
from ttscontract.engines import Precision
from ttscontract.model_folder import IMAGE_CONFIG
from ttscontract.pods import CONFIG_VARIABLE, HTTP_PORT, METRICS_PORT, TERMINATION_LOG, VARIABLE_PREFIX
from ttscontract.reasons import Reason
from ttscontract.worker_config import (
    MIN_RATE,
    Manager,
    Markup,
    OnUnspeakable,
    Setting,
    Tags,
    TextLogging,
    UnknownFields,
    UnknownVoice,
)

Network = IPv4Network | IPv6Network

VoiceAliases = Annotated[
    dict[
        Annotated[str, StringConstraints(min_length=1, max_length=worker_config.MAX_VOICE_ALIAS_LENGTH)],
        Annotated[str, StringConstraints(min_length=1, max_length=worker_config.MAX_VOICE_NAME_LENGTH)],
    ],
    Field(max_length=worker_config.MAX_VOICE_ALIASES),
]


class Fallback(BaseModel):
    """A model for failover, used when the models before it cannot be loaded or keep failing."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    engine: str = worker_config.ENGINE.default
    model_dir: Path | None = None
    model_name: str | None = Field(None, max_length=256)


class InvalidSettings(Exception):
    """A setting is unknown or has a wrong value; the message names it in one line."""

    reason = Reason.CONFIG_INVALID


def _field(row: Setting[object]) -> Any:
    """Return the field of a setting of worker.json, with the default, the bounds and the help of its row."""
    return Field(row.default, ge=row.minimum, gt=row.above, le=row.maximum, description=row.help)


class Settings(BaseSettings):
    """What the operator writes into worker.json. Times are in seconds, lengths in characters."""

    model_config = SettingsConfigDict(
        env_prefix=VARIABLE_PREFIX,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        protected_namespaces=(),
        hide_input_in_errors=True,  # an input may be a password
    )
    file_values: ClassVar[dict[str, Any]] = {}

    engine: str = _field(worker_config.ENGINE)
    model_dir: Path | None = _field(worker_config.MODEL_DIR)
    managed_by: Manager = _field(worker_config.MANAGED_BY)
    model_name: str | None = Field(
        None, max_length=256, description="Name of the model for clients; default: the engine's own."
    )
    fallbacks: list[Fallback] = Field([], max_length=8, description="Models for failover, in order.")
    precision: Precision = _field(worker_config.PRECISION)
    threads: int = _field(worker_config.THREADS)

    max_concurrency: int = _field(worker_config.MAX_CONCURRENCY)
    max_batch_size: int = _field(worker_config.MAX_BATCH_SIZE)
    max_queue_length: int = _field(worker_config.MAX_QUEUE_LENGTH)
    max_queue_audio_seconds: float = _field(worker_config.MAX_QUEUE_AUDIO_SECONDS)
    max_answer_bytes: int = Field(
        256 * 2**20,
        ge=2**20,
        description="Memory of the answers that wait for their clients: those sent in one go, and cached audio.",
    )
    max_text_length: int = _field(worker_config.MAX_TEXT_LENGTH)
    markup: Markup = _field(worker_config.MARKUP)
    tags: Tags = _field(worker_config.TAGS)
    code_blocks: Literal["Skip", "Speak"] = Field("Skip", description="Code blocks of a Markdown text: Skip or Speak.")
    request_timeout_seconds: float = _field(worker_config.REQUEST_TIMEOUT_SECONDS)
    drain_timeout_seconds: float = _field(worker_config.DRAIN_TIMEOUT_SECONDS)
    voice_aliases: VoiceAliases = _field(worker_config.VOICE_ALIASES)
    unknown_voice: UnknownVoice = _field(worker_config.UNKNOWN_VOICE)
    unknown_fields: UnknownFields = _field(worker_config.UNKNOWN_FIELDS)
    health_interval_seconds: float = Field(30, gt=0, le=3600, description="Seconds between two test syntheses.")

    redis_url: SecretStr | None = Field(
        None, description="redis:// or rediss://; workers share cache and rate limits there."
    )
    cache_ttl_seconds: int = Field(
        3600, ge=0, le=31_536_000, description="Seconds that audio stays in the cache; 0 caches nothing."
    )
    cache_memory_bytes: int = Field(64 * 2**20, ge=0, description="Size of the cache in memory, used without a Redis.")

    share_cache: bool = Field(
        default=False,
        description="Whether clients of different keys share audio; each can then tell what others had spoken.",
    )

    api_keys_file: Path | None = Field(
        None, description="File of the clients' keys, one a line; without it clients need no key."
    )
    rate_limit_per_second: float = _field(worker_config.RATE_LIMIT_PER_SECOND)
    rate_limit_burst: int = _field(worker_config.RATE_LIMIT_BURST)
    max_requests_per_client: int = _field(worker_config.MAX_REQUESTS_PER_CLIENT)
    trusted_proxies: Annotated[list[str], NoDecode] = Field(
        [],
        description="Networks of proxies whose X-Forwarded-For is trusted, such as 10.0.0.0/8, separated by commas.",
    )
    allowed_origins: Annotated[list[str], NoDecode, Field(max_length=worker_config.MAX_ORIGINS)] = _field(
        worker_config.ALLOWED_ORIGINS
    )
    tls_certificate_file: Path | None = Field(None, description="Certificate chain, PEM; with it the API is HTTPS.")
    tls_key_file: Path | None = Field(None, description="The certificate's private key, PEM.")

    on_unspeakable: OnUnspeakable = _field(worker_config.ON_UNSPEAKABLE)
    text_logging: TextLogging = _field(worker_config.TEXT_LOGGING)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    termination_log: Path = Field(
        Path(TERMINATION_LOG),
        description="File for the reason of a failed start; the worker does not create it.",
    )

    host: str = Field("0.0.0.0", description="Address to listen on; :: means IPv6 and IPv4.")
    port: int = Field(HTTP_PORT, ge=0, le=65535, description="Port of the API; 0 selects a free one and logs it.")
    metrics_port: int = Field(
        METRICS_PORT, ge=0, le=65535, description="Port of /metrics; 0 selects a free one and logs it."
    )

    @field_validator("trusted_proxies", "allowed_origins", mode="before")
    @classmethod
    def _split_at_commas(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("trusted_proxies")
    @classmethod
    def _check_networks(cls, value: list[str]) -> list[str]:
        parse_networks(value)
        return value

    @field_validator("allowed_origins")
    @classmethod
    def _check_origins(cls, value: list[str]) -> list[str]:
        for origin in value:
            if len(origin) > worker_config.MAX_ORIGIN_LENGTH or not re.fullmatch(worker_config.ORIGIN, origin):
                message = f"{origin[:80]!r} is not an origin: write it like https://app.example.org, in small letters"
                raise ValueError(f"{message} and without a path, or * for every page")
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


def load_settings(
    environ: Mapping[str, str] = os.environ,
    *,
    options: Mapping[str, Any] | None = None,
    image_config: Path = Path(IMAGE_CONFIG),
) -> Settings:
    """Read the configuration file, the environment and options; raises InvalidSettings.

    The file is the one that TTSWORKER_CONFIG names, else that of an image that was built with a model, if it is one.
    """
    known = {VARIABLE_PREFIX + name.upper() for name in Settings.model_fields} | {CONFIG_VARIABLE}
    if unknown := sorted(name for name in environ if name.startswith(VARIABLE_PREFIX) and name.upper() not in known):
        message = f"{unknown[0]} is not a setting; the settings are {', '.join(sorted(known))}"
        raise InvalidSettings(message)
    path = Path(environ[CONFIG_VARIABLE]) if environ.get(CONFIG_VARIABLE) else None
    if path is None and image_config.exists():
        path = image_config
    values = _read(path) if path else {}

    class FromFile(Settings):
        file_values = values

    try:
        return FromFile(**options or {})
    except ValidationError as error:
        raise InvalidSettings(_first_problem(error, path)) from error
    except SettingsError as error:  # a variable of a list or a map that is not JSON; the message names the field
        raise InvalidSettings(f"{error}: write it as JSON") from error


def parse_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Return the networks of `10.0.0.0/8`, `fd00::/8` or single addresses; raises ValueError that names a wrong one."""
    return tuple(_network(text.strip()) for text in texts)


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as error:
        message = f"{text!r} is not a network ({error}): write it like 10.0.0.0/8, fd00::/8 or 10.1.2.3"
        raise ValueError(message) from error


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
    where = f"{path} or {VARIABLE_PREFIX}{name.upper()}" if path else VARIABLE_PREFIX + name.upper()
    if problem["type"] == "extra_forbidden":
        return f"{name} is not a setting (in {where}); the settings are {', '.join(sorted(Settings.model_fields))}"
    if _is_secret(problem["loc"][0]):
        return f"{name} (from {where}) is not valid: {problem['msg']}"
    return f"{name} (from {where}) is {_without_password(repr(problem['input']))}: {problem['msg']}"


def _is_secret(name: object) -> bool:
    """Return whether a setting's value must not be shown."""
    field = Settings.model_fields.get(str(name))
    return field is not None and SecretStr in {field.annotation, *get_args(field.annotation)}


def _without_password(text: str) -> str:
    """Hide user and password of URLs: somebody may have given one to the wrong setting."""
    return re.sub(r"//[^/\s@]*@", "//***@", text)
