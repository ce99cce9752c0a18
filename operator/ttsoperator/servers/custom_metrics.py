"""The aggregated API custom.metrics.k8s.io, from which HorizontalPodAutoscalers read the workers' metrics.

The server stores nothing: it scrapes the workers for each request. If one Ready worker does not answer, the server
returns an error, never a smaller number: an HPA keeps the replicas on an error and scales down on a zero.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from ttscontract.metric import Scope
from ttscontract.metrics import CATALOGUE
from ttsoperator.kube.manifest import labels, time_text
from ttsoperator.kube.scrape import Samples, ScrapeFailed, Scraper, takes_requests, value
from ttsoperator.names import API_VERSION, GROUP, KIND, LABEL_COMPONENT, PLURAL, Component
from ttsoperator.servers.label_selector import InvalidSelector, selector
from ttsoperator.spec import quantities
from ttsoperator.watch.store import Cache, Key

API_GROUP = "custom.metrics.k8s.io"
METRICS_VERSION = "v1beta2"
GROUP_VERSION = f"{API_GROUP}/{METRICS_VERSION}"

SERVICE_METRICS = tuple(metric.name for metric in CATALOGUE if metric.scope is Scope.OBJECT)
POD_METRICS = tuple(metric.name for metric in CATALOGUE if metric.scope)

REASONS = {400: "BadRequest", 401: "Unauthorized", 404: "NotFound", 503: "ServiceUnavailable"}


class Problem(Exception):
    """An error that the server answers as a Kubernetes Status."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class CustomMetrics:
    """Answers requests from this replica's cache and its scrapes."""

    def __init__(self, cache: Cache, scraper: Scraper, authenticate: Callable[[web.Request], str | None]) -> None:
        self._cache = cache
        self._scraper = scraper
        self._authenticate = authenticate

    def app(self) -> web.Application:
        """Build the web application."""
        app = web.Application(middlewares=[self._guard])
        root = f"/apis/{GROUP_VERSION}"
        app.add_routes(
            [
                web.get("/apis", _json(_groups)),
                web.get(f"/apis/{API_GROUP}", _json(_group)),
                web.get(root, _json(_resources)),
                web.get(f"{root}/namespaces/{{namespace}}/{PLURAL}.{GROUP}/{{name}}/{{metric}}", self._of_service),
                web.get(f"{root}/namespaces/{{namespace}}/pods/{{name}}/{{metric}}", self._of_pods),
            ]
        )
        return app

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            if refusal := self._authenticate(request):
                raise Problem(401, refusal)
            if request.query.get("metricLabelSelector"):
                raise Problem(400, "metricLabelSelector is not supported: these metrics have no labels")
            return await handler(request)
        except Problem as problem:
            return _status(problem.code, str(problem))
        except InvalidSelector as error:
            return _status(400, str(error))
        except ScrapeFailed as error:
            return _status(503, str(error))
        except web.HTTPNotFound:
            return _status(404, f"{GROUP_VERSION} has metrics of {PLURAL}.{GROUP} and of pods, not {request.path}")

    async def _of_service(self, request: web.Request) -> web.Response:
        key, metric = Key(request.match_info["namespace"], request.match_info["name"]), request.match_info["metric"]
        if metric not in SERVICE_METRICS:
            raise Problem(404, f"a {KIND} has no metric {metric}; it has {', '.join(SERVICE_METRICS)}")
        if self._cache.service(key) is None:
            raise Problem(404, f"no {KIND} {key.name} in namespace {key.namespace}")
        workers = [pod for pod in self._cache.owned(key) if _is_worker(pod) and takes_requests(pod)]
        if not workers:
            raise Problem(503, f"{KIND} {key.name} has no ready worker")
        total = sum(value(samples, metric) for samples in await self._scraper.pods(workers))
        described = {"kind": KIND, "namespace": key.namespace, "name": key.name, "apiVersion": API_VERSION}
        return _values([(described, metric, total)])

    async def _of_pods(self, request: web.Request) -> web.Response:
        namespace, name, metric = (request.match_info[part] for part in ("namespace", "name", "metric"))
        if metric not in POD_METRICS:
            raise Problem(404, f"a pod has no metric {metric}; it has {', '.join(POD_METRICS)}")
        selects = selector(request.query.get("labelSelector", ""))
        workers = [
            pod
            for pod in self._cache.pods(namespace)
            if _is_worker(pod) and name in ("*", pod["metadata"]["name"]) and selects(labels(pod))
        ]
        ready = [pod for pod in workers if takes_requests(pod)]
        if not ready:
            raise Problem(503 if workers else 404, f"no ready worker pod in namespace {namespace} matches")
        answers: list[Samples] = await self._scraper.pods(ready)
        return _values(
            [(_pod(pod), metric, value(samples, metric)) for pod, samples in zip(ready, answers, strict=True)]
        )


def _is_worker(obj: Mapping[str, Any]) -> bool:
    return obj["kind"] == "Pod" and labels(dict(obj)).get(LABEL_COMPONENT) == Component.WORKER


def _pod(pod: Mapping[str, Any]) -> dict[str, str]:
    meta = pod["metadata"]
    return {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "apiVersion": "/v1"}


def _values(items: list[tuple[dict[str, str], str, float]]) -> web.Response:
    now = time_text(datetime.now(UTC))
    values = [
        {"describedObject": of, "metric": {"name": metric}, "timestamp": now, "value": quantities.rendered(number)}
        for of, metric, number in items
    ]
    return web.json_response({"kind": "MetricValueList", "apiVersion": GROUP_VERSION, "metadata": {}, "items": values})


def _status(code: int, message: str) -> web.Response:
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": REASONS[code],
        "code": code,
    }
    return web.json_response(body, status=code)


def _json(make: Callable[[], dict[str, Any]]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handler(_: web.Request) -> web.Response:
        return web.json_response(make())

    return handler


def _groups() -> dict[str, Any]:
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group()]}


def _group() -> dict[str, Any]:
    version = {"groupVersion": GROUP_VERSION, "version": METRICS_VERSION}
    return {
        "kind": "APIGroup",
        "apiVersion": "v1",
        "name": API_GROUP,
        "versions": [version],
        "preferredVersion": version,
    }


def _resources() -> dict[str, Any]:
    offered = [f"{PLURAL}.{GROUP}/{m}" for m in SERVICE_METRICS] + [f"pods/{m}" for m in POD_METRICS]
    resources = [
        {"name": name, "singularName": "", "namespaced": True, "kind": "MetricValueList", "verbs": ["get"]}
        for name in offered
    ]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": GROUP_VERSION, "resources": resources}
