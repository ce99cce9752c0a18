"""Whatever a client may make of /openapi.json, no answer is the worker's fault."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from tests.support.worker.serving import PATIENCE_SECONDS, worker_process

WITHOUT_PARAMETERS = (
    "GET /v1/models", "GET /v1/models/{model}", "GET /v1/audio/models", "GET /v1/audio/voices", "GET /locales",
    "GET /voices", "GET /details", "GET /health", "GET /ready",
)  # fmt: skip
WITH_PARAMETERS = (
    "POST /v1/audio/speech", "GET /api/tts", "POST /api/tts", "GET /process", "POST /process", "DELETE /v1/audio/cache",
)  # fmt: skip
KEY = "c0ffee" * 6
WITH_KEY = {"Authorization": f"Bearer {KEY}"}
AS_DESCRIBED = [(label, GenerationMode.POSITIVE) for label in (*WITHOUT_PARAMETERS, *WITH_PARAMETERS)]
OTHERWISE = [(label, GenerationMode.NEGATIVE) for label in WITH_PARAMETERS]


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[schemathesis.BaseSchema]:
    """What a running worker says of itself; it lets who has a key ask as often as they like."""
    keys = tmp_path_factory.mktemp("keys") / "keys"
    keys.write_text(f"fuzz {KEY}\n")
    with worker_process({"TTSWORKER_API_KEYS_FILE": str(keys)}) as worker:
        worker.wait_for("ready")
        yield schemathesis.openapi.from_url(f"{worker.url}/openapi.json", headers=WITH_KEY)


def test_every_operation_is_asked(schema: schemathesis.BaseSchema) -> None:
    labels = {each.ok().label for each in schema.get_all_operations() if isinstance(each, Ok)}
    assert labels == {*WITHOUT_PARAMETERS, *WITH_PARAMETERS}


@pytest.mark.parametrize(("label", "mode"), AS_DESCRIBED + OTHERWISE)
def test_no_answer_is_a_fault_of_the_server(schema: schemathesis.BaseSchema, label: str, mode: GenerationMode) -> None:
    operation = schema.find_operation_by_label(label)
    assert operation
    seen = set()

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: "schemathesis.Case[Any]") -> None:
        answer = case.call(timeout=PATIENCE_SECONDS, headers=WITH_KEY)
        seen.add(answer.status_code)
        assert answer.status_code < 500 or answer.status_code in {503, 504}, answer.text
        if answer.status_code >= 400:
            assert set(answer.json()["error"]) == {"message", "type", "param", "code"}

    ask()
    assert not seen & {401, 403}  # else nothing behind the keys was asked
