"""Identify the client of a request, check its key, and enforce its rate limit."""

import logging
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from starlette.datastructures import Headers

from ttsworker.clock import Clock
from ttsworker.http.access.clients import client_of
from ttsworker.http.access.concurrency import Concurrency
from ttsworker.http.access.guesses import Guesses
from ttsworker.http.access.keyfile import KeyFile
from ttsworker.http.access.keys import InvalidKeys, Key
from ttsworker.http.access.limits import Limit, whole_seconds
from ttsworker.http.access.origins import from_another_site
from ttsworker.http.access.ratelimit import LocalLimiter, SharedLimiter
from ttsworker.http.errors import ApiError, retry_after
from ttsworker.observe.tally import Tally
from ttsworker.redis.client import RedisClient
from ttsworker.settings import InvalidSettings, Network, Settings, parse_networks

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Client:
    """A client: the name of its key, or its address if no keys are set. `limit` is None for no limit, `most` is 0."""

    identity: str
    limit: Limit | None
    most: int
    """Requests that it may have in this worker at once."""
    key: str | None = None

    @property
    def share(self) -> str:
        """Its name where clients share the worker; empty for all who are not told apart.

        Without a limit by address an address is not a client: a proxy, with all its users, may be behind it.
        """
        return self.identity if self.key or self.most else ""


class Gate:
    """Checks keys and counts requests. Raises InvalidSettings for an unusable file of keys."""

    def __init__(self, settings: Settings, redis: RedisClient | None, clock: Clock) -> None:
        self._keys = open_keys(settings, clock)
        self._trusted: tuple[Network, ...] = parse_networks(settings.trusted_proxies)
        self._rate, self._burst = settings.rate_limit_per_second, settings.rate_limit_burst
        self._most = settings.max_requests_per_client
        self._concurrency = Concurrency()
        self._origins = frozenset(settings.allowed_origins)
        self._guesses = Guesses(clock.monotonic)
        self._refusals = Tally(clock.monotonic)
        local = LocalLimiter(clock.monotonic)
        self._limiter = SharedLimiter(redis, local) if redis else local

    async def identify(self, headers: Headers, peer: str | None) -> Client:
        """Return the client of the request.

        If keys are set, raises ApiError 401 for a missing or wrong key, and 429 after many wrong ones of its address.
        """
        address = client_of(peer, headers.getlist("x-forwarded-for"), self._trusted)
        if self._keys is None:
            return Client(f"address:{address}", self._limit(), self._most)
        key = await self._find_key(self._keys, headers, address)
        most = self._most if key.concurrent is None else key.concurrent
        return Client(f"key:{key.name}", self._limit(key), most, key.name)

    def check_origin(self, headers: Headers) -> None:
        """Raise ApiError 403 for a request of another site's page, unless its origin is allowed.

        With keys that page would need one.
        """
        allowed = "*" in self._origins or headers.get("origin") in self._origins
        if self._keys is None and not allowed and from_another_site(headers):
            message = "a page of another site sent this: name its origin in allowed_origins, or give the worker keys"
            raise ApiError(403, "cross_site", message)

    async def count(self, client: Client) -> None:
        """Count a request for speech; raises ApiError 429 with Retry-After above the client's limit."""
        if client.limit is None:
            return
        if wait := await self._limiter.arrive(client.identity, client.limit):
            limit = f"{client.limit.per_second:g} requests a second, {client.limit.burst} at once"
            raise _too_many("rate_limit_exceeded", f"more than {limit}", wait)

    def place(self, client: Client) -> AbstractContextManager[None]:
        """Count a request for speech until its answer ends; the block raises ApiError 429 above the client's limit."""
        return self._concurrency.count(client.identity, client.most) if client.most else nullcontext()

    def _limit(self, key: Key | None = None) -> Limit | None:
        rate = self._rate if key is None or key.rate is None else key.rate
        burst = self._burst if key is None or key.burst is None else key.burst
        return Limit(rate, burst) if rate else None

    async def _find_key(self, keys: KeyFile, headers: Headers, address: str) -> Key:
        presented = _presented(headers)
        for candidate in presented:
            key = keys.find(candidate)
            if key and self._guesses.may_use(address, key):
                return key
        if requests := self._refusals.add():
            log.warning("requests without a right key", extra={"requests": requests, "last_address": address})
        if presented and (wait := await self._guesses.count(address)):
            raise _too_many("too_many_wrong_keys", "this address has sent too many wrong keys", wait)
        problem = "this key is not valid" if presented else "this needs a key"
        raise ApiError(
            401,
            "invalid_api_key",
            f"{problem}: send one as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'",
            headers={"WWW-Authenticate": "Bearer"},
        )


def _too_many(code: str, problem: str, wait: int) -> ApiError:
    seconds = whole_seconds(wait)
    return ApiError(429, code, f"{problem}: try again after {seconds} s", headers=retry_after(seconds))


def _presented(headers: Headers) -> list[bytes]:
    """Return the keys in a request. OpenAI's clients always send one, even if none is needed."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    bearer = credentials.strip() if scheme.lower() == "bearer" else ""
    return [key.encode("latin-1") for key in (bearer, headers.get("x-api-key", "").strip()) if key]


def open_keys(settings: Settings, clock: Clock) -> KeyFile | None:
    """Return the file of keys, None if no keys are set; raise InvalidSettings for an unusable file."""
    try:
        return KeyFile(settings.api_keys_file, clock.monotonic) if settings.api_keys_file else None
    except InvalidKeys as error:
        raise InvalidSettings(f"api_keys_file: {error}") from error
