"""How often somebody came within the last minute: counted in this process, or in Redis for several."""

import bisect
import logging
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from limits import RateLimitItem
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

log = logging.getLogger("runout.api")

# Callers remembered at once. Each takes some hundred bytes, and 32 a request of the last minute.
MOST_CALLERS = 100_000
# Redis is on the same network and answers in less than a millisecond; requests wait for it.
REDIS_SECONDS = 0.25
REDIS_CONNECTIONS = 1000
REST_SECONDS = 5  # after a failure nobody waits for it so long
WARN_SECONDS = 60
PREFIX = "runout"


class Caller(NamedTuple):
    """Whom a request counts against: so many a minute, in the count of this name."""

    rate: RateLimitItem
    name: str


class Counts:
    """What callers have used; with Redis a stand-in for when it is away, else in this process alone."""

    def __init__(self, redis_url: str | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._here = MovingWindowRateLimiter(Window(clock))
        self._redis = _redis(redis_url) if redis_url else None
        self._shared = MovingWindowRateLimiter(self._redis) if self._redis else None
        self._rests_until = self._silent_until = -math.inf

    async def take(self, caller: Caller) -> int:
        """Count a request.

        Returns 0, or after how many seconds the next one is let in; then this one was not counted. When Redis
        is away, each process counts by itself: the shop goes on, with a limit for each process.
        """
        if self._shared is not None and self.clock() >= self._rests_until:
            try:
                # Redis keeps the moments that processes tell it, so these are of the clock they share.
                return await _taken(self._shared, caller, time.time)
            except (RedisError, OSError) as trouble:
                self._rests_until = self.clock() + REST_SECONDS
                self._warn(trouble)
        return await _taken(self._here, caller, self.clock)

    async def close(self) -> None:
        """Let go of the connections to Redis."""
        if self._redis is not None:
            await self._redis.bridge.get_connection().aclose()

    def _warn(self, trouble: Exception) -> None:
        if self.clock() >= self._silent_until:
            self._silent_until = self.clock() + WARN_SECONDS
            kind = type(trouble).__name__
            log.warning("Redis is away (%s): each API process counts requests by itself.", kind)


class Window(MemoryStorage):
    """The library's storage in memory, with bounds.

    Of the library's own two (5.8) the one with threads keeps an entry for every address it ever saw, and the
    other goes over all callers again and again: 40 microseconds a request with a thousand callers, not 2.
    """

    STORAGE_SCHEME = None  # the library is to find its own under its name

    def __init__(self, clock: Callable[[], float], most_callers: int = MOST_CALLERS) -> None:
        super().__init__()
        self.clock = clock
        self.most_callers = most_callers
        self.callers: OrderedDict[str, list[float]] = OrderedDict()  # who came last is last

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count a request, unless there were `limit` in the last `expiry` seconds."""
        now = self.clock()
        moments = self.callers.get(key)
        if moments is None:
            moments = self.callers[key] = []
            self._forget(now - expiry)
        else:
            self.callers.move_to_end(key)
        old = bisect.bisect_left(moments, now - expiry)
        if len(moments) - old + amount > limit:
            return False
        if old > len(moments) // 2:  # not each time: whoever comes a million times a minute has a long list
            del moments[:old]
        moments += [now] * amount
        return True

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:  # noqa: ARG002
        """The first moment that counts, and how many there are."""
        now = self.clock()
        moments = self.callers.get(key, [])
        old = bisect.bisect_left(moments, now - expiry)
        return (moments[old] if old < len(moments) else now), len(moments) - old

    def _forget(self, since: float) -> None:
        """Whoever came too long ago goes: two for each who comes, so it keeps pace and is never much work."""
        for _ in range(2):
            moments = next(iter(self.callers.values()))
            if len(self.callers) > self.most_callers or (moments and moments[-1] < since):
                self.callers.popitem(last=False)


async def _taken(limiter: MovingWindowRateLimiter, caller: Caller, clock: Callable[[], float]) -> int:
    if await limiter.hit(*caller):
        return 0
    free_at = (await limiter.get_window_stats(*caller)).reset_time
    # At that very moment the oldest is still within the minute: the next whole second is past it.
    return max(1, math.floor(free_at - clock()) + 1)


def _redis(url: str) -> RedisStorage:
    return RedisStorage(
        f"async+{url}",
        implementation="redispy",
        key_prefix=PREFIX,
        socket_timeout=REDIS_SECONDS,
        socket_connect_timeout=REDIS_SECONDS,
        max_connections=REDIS_CONNECTIONS,
        retry=Retry(NoBackoff(), 0),
    )
