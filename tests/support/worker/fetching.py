"""One download by the program's own function, from a bad server on loopback."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.badserver import BadServer
from ttsworker.fetch.errors import FetchError
from ttsworker.fetch.job import Outcome
from ttsworker.models.store import verify_model

BODY = random.Random(1).randbytes(600_000)
KEY = "m-0123456789abcdef"
TLS = Path(__file__).parents[2] / "support" / "tls"
Fetch = Callable[..., Outcome]


def assert_published(root: Path, body: bytes = BODY) -> None:
    verify_model(root / KEY)
    assert (root / KEY / "voice.onnx").read_bytes() == body
    assert not (root / ".partial" / KEY).exists()


def failure(fetch: Fetch, server: BadServer, **options: object) -> FetchError:
    with pytest.raises(FetchError) as caught:
        fetch(server, **options)
    message = str(caught.value)
    assert message
    assert "\n" not in message
    return caught.value
