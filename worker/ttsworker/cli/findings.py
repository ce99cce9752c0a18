"""What `ttsworker check` looks at, the quick things first. Each becomes one Finding."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ttscontract.engines import ENGINES, find
from ttscontract.pods import VARIABLE_PREFIX
from ttsworker.cli.loading import load_engine
from ttsworker.engines import ModelError
from ttsworker.http.server import listen
from ttsworker.http.tls import expiry, load_certificate
from ttsworker.models.store import verify_model
from ttsworker.models.warmup import NotAudible, warm_up
from ttsworker.observe.gpu import GpuMonitor
from ttsworker.settings import InvalidSettings, Settings

REDIS_SECONDS = 2.0

EXPIRES_SOON_DAYS = 14

PROGRAMS = {name: reason for engine in ENGINES for name, reason in engine.programs.items()}
"""Every program that an engine needs, with the reason."""


@dataclass(frozen=True)
class Finding:
    """The worker can serve with a WARN, and not with a FAIL; `action` is what to do, unless the message says it."""

    name: str
    status: Literal["OK", "WARN", "FAIL"]
    message: str
    action: str | None = None


def findings(settings: Settings, tell: Callable[[str], None]) -> Iterator[Finding]:
    """Look at everything; `tell` is told what is being done now."""
    yield _gpu(settings)
    yield from _programs(settings)
    yield _tls(settings)
    yield _api_keys(settings)
    tell("asking Redis")
    yield _redis(settings)
    yield _port("port", settings.host, settings.port)
    yield _port("metrics_port", settings.host, settings.metrics_port)
    tell("verifying the model")
    model = _model(settings)
    yield model
    if model.status != "FAIL":
        tell("loading the engine and speaking")
        yield _engine(settings)


def _gpu(settings: Settings) -> Finding:
    monitor = GpuMonitor()
    figures = monitor.read()
    monitor.close()
    if monitor.problem:
        return Finding("gpu", "FAIL" if _uses_gpu(settings.engine) else "WARN", monitor.problem)
    if figures:
        memory = f"{(figures.memory_total - figures.memory_used) / 1e9:.1f} GB of {figures.memory_total / 1e9:.1f} free"
        return Finding("gpu", "OK", f"{figures.count} x {figures.name}, driver {figures.driver_version}, {memory}")
    if not _uses_gpu(settings.engine):
        return Finding("gpu", "OK", "none, and none is needed")
    return Finding("gpu", "WARN", f"none: {settings.engine} speaks on the CPU", "give the container a GPU")


def _uses_gpu(name: str) -> bool:
    """Tell whether an engine uses a GPU; one that is not in the catalogue may."""
    engine = find(name)
    return engine is None or engine.gpus > 0


def _programs(settings: Settings) -> Iterator[Finding]:
    engine = find(settings.engine)
    needed = PROGRAMS if engine is None else engine.programs
    for name, reason in PROGRAMS.items():
        if path := shutil.which(name):
            yield Finding(name, "OK", path)
        elif name not in needed:
            yield Finding(name, "OK", "not installed, and not needed")
        else:
            yield Finding(name, "WARN", "not installed", f"install it, {reason}")


def _tls(settings: Settings) -> Finding:
    try:
        certificate = load_certificate(settings)
    except InvalidSettings as error:
        return Finding("tls", "FAIL", str(error))
    if certificate is None or settings.tls_certificate_file is None:
        return Finding("tls", "OK", "not set: plain HTTP")
    days = expiry(certificate.context, settings.tls_certificate_file)
    if days is None:
        return Finding("tls", "WARN", "the certificate has expired, or is not valid yet", "renew it")
    if days < EXPIRES_SOON_DAYS:
        return Finding("tls", "WARN", f"the certificate expires in {days:.0f} days", "renew it")
    return Finding("tls", "OK", f"the key fits the certificate, which is valid for {days:.0f} days")


def _api_keys(settings: Settings) -> Finding:
    path = settings.api_keys_file
    if path is None:
        return Finding("api_keys", "OK", "not set: nobody needs a key")
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        action = f"set {VARIABLE_PREFIX}API_KEYS_FILE to a file that this user can read"
        return Finding("api_keys", "FAIL", f"{path} cannot be read ({error.strerror})", action)
    if not any(line.strip() for line in lines):
        return Finding("api_keys", "WARN", f"{path} is empty, so nobody may speak", "put a key into it")
    return Finding("api_keys", "OK", f"{path} can be read")


def _redis(settings: Settings) -> Finding:
    if settings.redis_url is None:
        return Finding("redis", "OK", "not set: the cache is in memory")
    action = f"check {VARIABLE_PREFIX}REDIS_URL"
    try:
        client = redis.Redis.from_url(
            settings.redis_url.get_secret_value(),
            socket_connect_timeout=REDIS_SECONDS,
            socket_timeout=REDIS_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError as error:  # which tells the schemes there are, and not the URL
        return Finding("redis", "FAIL", f"the URL cannot be used ({error})", action)
    try:
        with client:
            client.ping()
    except redis.RedisError as error:
        message = f"no answer ({error}); the worker serves without its cache"
        return Finding("redis", "WARN", message, f"{action} and the network")
    return Finding("redis", "OK", "answers")


def _port(name: str, host: str, port: int) -> Finding:
    try:
        listen(host, port, setting=name.upper()).close()
    except InvalidSettings as error:
        return Finding(name, "FAIL", str(error))
    return Finding(name, "OK", f"{port} is free" if port else "0 takes a free one")


def _model(settings: Settings) -> Finding:
    if settings.model_dir is None:
        return Finding("model", "OK", "not set: the engine's embedded voice")
    try:
        manifest = verify_model(settings.model_dir)
    except ModelError as error:
        return Finding("model", "FAIL", str(error))
    return Finding("model", "OK", f"{settings.model_dir} is whole, {manifest.bytes / 1e6:.1f} MB")


def _engine(settings: Settings) -> Finding:
    try:
        engine = load_engine(settings)
        measured = warm_up(engine)
    except ModelError as error:
        return Finding("engine", "FAIL", str(error))
    except NotAudible as error:
        return Finding("engine", "FAIL", f"the model cannot speak: {error}", "use another model")
    except Exception as error:  # noqa: BLE001 - whatever an engine's libraries raise here is what was looked for
        return Finding("engine", "FAIL", f"{settings.engine} cannot start: {type(error).__name__}: {error}")
    factor = measured.real_time_factor
    message = f"{settings.engine} speaks on the {engine.device}, {factor:.3f} s of work for 1 s of audio"
    engine.close()
    if factor > 1:
        return Finding("engine", "WARN", message, "streams will have gaps; use a GPU, more CPUs or a smaller model")
    return Finding("engine", "OK", message)
