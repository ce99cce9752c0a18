"""Requests with a key, and how they are refused."""

import httpx

from tests.support.worker.serving import Served

HELLO = {"input": "Hello."}
BEARER = {"Authorization": "Bearer alices-key-for-tests"}


def rejected(served: Served, reason: str) -> float | None:
    """Return how many requests the metric counts as refused for a reason."""
    return served.worker.metrics.registry.get_sample_value("tts_rejected_total", {"reason": reason})


def code_of(answer: httpx.Response) -> str:
    """Return the code of an error, which has the shape of every other one."""
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"]
    return str(error["code"])
