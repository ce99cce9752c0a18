"""Scrapes Prometheus metrics from the worker and download pods."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from ttscontract import metrics
from ttscontract.metric import Type
from ttscontract.pods import METRICS_PATH, METRICS_PORT
from ttsoperator.kube.manifest import condition, is_deleting

TIMEOUT_SECONDS = 2.0  # an HPA requests metrics every 15 s, with a timeout of 30 s
LARGEST_ANSWER = 256 * 1024
LONGEST_LINE = 1024
"""The parser's cost grows with the square of a line, and any pod may carry our labels: no answer may keep the operator
from its other services."""
CONNECTIONS = 64

READ = frozenset(metric.name for metric in metrics.CATALOGUE if metric.type is Type.GAUGE)
"""The metrics that the operator reads: no other line of an answer is parsed."""

_NAME = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")

Samples = Mapping[str, list[Sample]]


class ScrapeFailed(Exception):
    """A pod did not answer with metrics; the message names the pod and the reason."""


class Scraper:
    """Scrapes many pods concurrently; close it with `close`."""

    def __init__(
        self, count: Callable[[str], None] | None = None, port: int = METRICS_PORT, timeout: float = TIMEOUT_SECONDS
    ) -> None:
        self._count = count or (lambda _result: None)
        self._port = port
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    async def pod(self, pod: Mapping[str, Any]) -> Samples:
        """Return the samples of one pod by name; raises ScrapeFailed."""
        name = pod["metadata"]["name"]
        address = (pod.get("status") or {}).get("podIP")
        if not address:
            raise ScrapeFailed(f"pod {name} has no address yet")
        host = f"[{address}]" if ":" in address else address
        try:
            samples = parse(await self._fetch(f"http://{host}:{self._port}{METRICS_PATH}"))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            self._count("failed")
            raise ScrapeFailed(f"pod {name} did not return metrics: {str(error) or 'no answer in time'}") from error
        self._count("answered")
        return samples

    async def pods(self, pods: Iterable[Mapping[str, Any]]) -> list[Samples]:
        """Return the samples of all `pods`, in order; raises ScrapeFailed if one pod does not answer."""
        return await asyncio.gather(*(self.pod(pod) for pod in pods))

    async def _fetch(self, url: str) -> str:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=CONNECTIONS, force_close=True)  # pods change often
            self._session = aiohttp.ClientSession(connector=connector, timeout=self._timeout)
        async with self._session.get(url, allow_redirects=False) as response:
            if response.status != 200:
                raise ValueError(f"HTTP {response.status}")
            content = bytearray()
            async for chunk in response.content.iter_any():
                content += chunk
                if len(content) > LARGEST_ANSWER:
                    raise ValueError(f"more than {LARGEST_ANSWER} bytes")
            return content.decode()


def parse(text: str) -> Samples:
    """Parse what the operator reads of the Prometheus text format; raises ValueError, also when it reads none of it."""
    lines = [line for line in text.split("\n") if (name := _NAME.match(line)) and name[0] in READ]
    if not lines:
        raise ValueError("the answer has none of the metrics of a worker or a download")
    if any(len(line) > LONGEST_LINE for line in lines):
        raise ValueError(f"a line has more than {LONGEST_LINE} characters")
    samples: dict[str, list[Sample]] = {}
    for family in text_string_to_metric_families("\n".join(lines)):
        for sample in family.samples:
            samples.setdefault(sample.name, []).append(sample)
    return samples


def value(samples: Samples, name: str) -> float:
    """Return the value of a metric without labels; raises ScrapeFailed if it is absent or not finite."""
    values = samples.get(name, ())
    if len(values) != 1 or not math.isfinite(values[0].value):
        raise ScrapeFailed(f"the pod does not export exactly one finite {name}")
    return values[0].value


def takes_requests(pod: Mapping[str, Any]) -> bool:
    """Return whether a pod takes requests. Only such pods are scraped for the autoscaler."""
    ready = condition(dict(pod), "Ready")
    return ready is not None and ready.get("status") == "True" and not is_deleting(dict(pod))
