"""The checks of `ttsworker check`, the quick ones first. Each returns one Finding."""

import asyncio
import contextlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from ttscontract.engines import ENGINES, find
from ttscontract.pods import VARIABLE_PREFIX
from ttsworker.cli.loading import load_engine
from ttsworker.cli.ports import check_port
from ttsworker.clock import SystemClock
from ttsworker.engines import ModelError
from ttsworker.http.access.gate import open_keys
from ttsworker.http.tls import expiry, load_certificate
from ttsworker.models.store import verify_model
from ttsworker.models.warmup import NotAudible, warm_up
from ttsworker.observe.gpu import GpuMonitor
from ttsworker.redis.client import RedisUnavailable
from ttsworker.settings import InvalidSettings, Settings
from ttsworker.worker import connect_redis

EXPIRES_SOON_DAYS = 14

REDIS_PROBES = 5
"""A machine that is busy for a moment makes one answer late, not all of them."""

PROGRAMS = {name: reason for engine in ENGINES for name, reason in engine.programs.items()}
"""Every program that an engine needs, with the reason."""


@dataclass(frozen=True)
class Finding:
    """With WARN the worker can serve, with FAIL it cannot; `action` says what to do, unless the message does."""

    name: str
    status: Literal["OK", "WARN", "FAIL"]
    message: str
    action: str | None = None


def findings(settings: Settings, show: Callable[[str], None]) -> Iterator[Finding]:
    """Run all checks; call `show` with the name of each step that may take long."""
    yield _gpu(settings)
    yield from _programs(settings)
    yield _tls(settings)
    yield _api_keys(settings)
    show("asking Redis")
    yield _redis(settings)
    yield _port(settings, "port")
    yield _port(settings, "metrics_port")
    show("verifying the model")
    model = _model(settings)
    yield model
    if model.status != "FAIL":
        show("loading the engine and speaking")
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
        return Finding("gpu", "OK", "no GPU, and none is needed")
    return Finding("gpu", "WARN", f"no GPU: {settings.engine} runs on the CPU", "give the container a GPU")


def _uses_gpu(name: str) -> bool:
    """Return whether an engine can use a GPU; assume it of one that is not in the catalogue."""
    engine = find(name)
    return engine is None or engine.gpus > 0


def _programs(settings: Settings) -> Iterator[Finding]:
    engine = find(settings.engine)
    needed = PROGRAMS if engine is None else engine.programs
    for name in PROGRAMS:
        if path := shutil.which(name):
            yield Finding(name, "OK", path)
        elif name not in needed:
            yield Finding(name, "OK", "not installed, and not needed")
        else:
            yield Finding(name, "WARN", "not installed", f"install it, {needed[name]}")


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
    return Finding("tls", "OK", f"the key matches the certificate, which is valid for {days:.0f} days")


def _api_keys(settings: Settings) -> Finding:
    try:
        keys = open_keys(settings, SystemClock())
    except InvalidSettings as error:
        return Finding("api_keys", "FAIL", str(error), f"set {VARIABLE_PREFIX}API_KEYS_FILE to a readable file of keys")
    if keys is None:
        return Finding("api_keys", "OK", "not set: requests need no key")
    return Finding("api_keys", "OK", f"{settings.api_keys_file} has {len(keys)} keys")


def _redis(settings: Settings) -> Finding:
    if settings.redis_url is None:
        return Finding("redis", "OK", "not set: the cache is in memory")
    try:
        asyncio.run(_probe_redis(settings))
    except InvalidSettings as error:
        return Finding("redis", "FAIL", str(error), f"check {VARIABLE_PREFIX}REDIS_URL")
    except RedisUnavailable as error:
        message = f"cannot be used ({error.reason}, {error.detail}): the worker serves without its cache"
        return Finding("redis", "WARN", message, f"check {VARIABLE_PREFIX}REDIS_URL and the network")
    return Finding("redis", "OK", "answers")


async def _probe_redis(settings: Settings) -> None:
    """Ask, and ask again as the worker does; raises RedisUnavailable when no answer came in time."""
    if client := connect_redis(settings, SystemClock()):
        try:
            for _ in range(REDIS_PROBES - 1):
                with contextlib.suppress(RedisUnavailable):
                    await client.probe()
                    return
            await client.probe()
        finally:
            await client.close()


def _port(settings: Settings, name: str) -> Finding:
    try:
        return Finding(name, "OK", check_port(settings, name))
    except InvalidSettings as error:
        return Finding(name, "FAIL", str(error))


def _model(settings: Settings) -> Finding:
    if settings.model_dir is None:
        return Finding("model", "OK", "not set: the worker uses the engine's embedded voice")
    try:
        manifest = verify_model(settings.model_dir, settings.managed_by)
    except ModelError as error:
        return Finding("model", "FAIL", str(error))
    state = "is complete" if manifest.source else "has no manifest to verify it with"
    return Finding("model", "OK", f"{settings.model_dir} {state}, {manifest.bytes / 1e6:.1f} MB")


def _engine(settings: Settings) -> Finding:
    try:
        engine = load_engine(settings)
        measured = warm_up(engine)
    except ModelError as error:
        return Finding("engine", "FAIL", str(error))
    except NotAudible as error:
        return Finding("engine", "FAIL", f"the model cannot speak: {error}", "use another model")
    except Exception as error:  # noqa: BLE001 - an engine's libraries may raise anything, and this check reports it
        return Finding("engine", "FAIL", f"{settings.engine} cannot start: {type(error).__name__}: {error}")
    factor = measured.real_time_factor
    message = f"{settings.engine} runs on the {engine.device} and needs {factor:.3f} s for 1 s of audio"
    engine.close()
    if factor > 1:
        return Finding("engine", "WARN", message, "streams will have gaps; use a GPU, more CPUs or a smaller model")
    return Finding("engine", "OK", message)
