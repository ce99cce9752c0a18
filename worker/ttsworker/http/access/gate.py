"""Who asks, whether they may, and whether not too often."""

from dataclasses import dataclass

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from starlette.datastructures import Headers

from ttsworker.http.access.breaker import Pauses
from ttsworker.http.access.clients import client_of
from ttsworker.http.access.keyfile import KeyFile
from ttsworker.http.access.keys import InvalidKeys, Key
from ttsworker.http.access.limits import Limit, retry_after
from ttsworker.http.access.ratelimit import TIMEOUT_SECONDS, LocalLimiter, RateLimiter, SharedLimiter
from ttsworker.http.errors import ApiError
from ttsworker.settings import InvalidSettings, Network, Settings, parse_networks

MAX_CONNECTIONS = 8
"""To Redis; a script takes it some 20 microseconds, so that more would only wait there instead of here."""


@dataclass(frozen=True)
class Client:
    """Who asks: the name of a key, or an address where no key is needed. Without a limit, as often as they like."""

    identity: str
    limit: Limit | None
    key: str | None = None


class Gate:
    """Knows the keys and counts the clients. Raises InvalidSettings for keys that cannot be used."""

    def __init__(self, settings: Settings, limiter: RateLimiter | None = None) -> None:
        self._keys = _open_keys(settings)
        self._trusted: tuple[Network, ...] = parse_networks(settings.trusted_proxies)
        self._rate, self._burst = settings.rate_limit_per_second, settings.rate_limit_burst
        self._limiter = limiter or _make_limiter(settings)

    def identify(self, headers: Headers, peer: str | None) -> Client:
        """Return who asks; raises ApiError 401 for one without a key, where there are keys."""
        if self._keys is None:
            address = client_of(peer, headers.getlist("x-forwarded-for"), self._trusted)
            return Client(f"address:{address}", self._limit())
        key = self._find_key(self._keys, headers)
        return Client(f"key:{key.name}", self._limit(key), key.name)

    async def count(self, client: Client) -> None:
        """Count a request for speech; raises ApiError 429 with Retry-After beyond the client's limit."""
        if client.limit is None:
            return
        if wait := await self._limiter.arrive(client.identity, client.limit):
            limit = f"{client.limit.per_second:g} requests a second, {client.limit.burst} at once"
            message = f"more than {limit}: try again after {(seconds := retry_after(wait))} s"
            raise ApiError(429, "rate_limit_exceeded", message, headers={"Retry-After": str(seconds)})

    async def close(self) -> None:
        """Let go of connections."""
        await self._limiter.close()

    def _limit(self, key: Key | None = None) -> Limit | None:
        rate = self._rate if key is None or key.rate is None else key.rate
        burst = self._burst if key is None or key.burst is None else key.burst
        return Limit(rate, burst) if rate else None

    def _find_key(self, keys: KeyFile, headers: Headers) -> Key:
        presented = _presented(headers)
        for candidate in presented:
            if key := keys.find(candidate):
                return key
        problem = "this key is not valid" if presented else "this needs a key"
        raise ApiError(
            401,
            "invalid_api_key",
            f"{problem}: send one as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'",
            headers={"WWW-Authenticate": "Bearer"},
        )


def _presented(headers: Headers) -> list[bytes]:
    """Return the keys that a request carries; OpenAI's clients always send one, if only to please themselves."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    bearer = credentials.strip() if scheme.lower() == "bearer" else ""
    return [key.encode("latin-1") for key in (bearer, headers.get("x-api-key", "").strip()) if key]


def _open_keys(settings: Settings) -> KeyFile | None:
    try:
        return KeyFile(settings.api_keys_file) if settings.api_keys_file else None
    except InvalidKeys as error:
        raise InvalidSettings(f"api_keys_file: {error}") from error


def _make_limiter(settings: Settings) -> RateLimiter:
    local = LocalLimiter()
    if settings.redis_url is None:
        return local
    try:
        pool = BlockingConnectionPool.from_url(
            settings.redis_url.get_secret_value(),
            max_connections=MAX_CONNECTIONS,
            timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),  # the breaker decides when to ask again
        )
    except ValueError as error:
        raise InvalidSettings(f"redis_url: {error}") from error
    return SharedLimiter(Redis.from_pool(pool), local, Pauses())
