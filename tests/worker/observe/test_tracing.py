"""Traces: what the log tells, and what a real OTLP collector is sent."""

import subprocess
import sys
import time

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from tests.support.collector import attributes, collector
from tests.support.worker.asking import SPEECH
from tests.support.worker.serving import PATIENCE_SECONDS, WorkerProcess, worker_process
from ttsworker.observe.tracing import Tracer, describe, describe_answer, make_tracer, record

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{SPAN}-01"
TEXT = "Nobody else may read this."


@pytest.mark.parametrize(
    ("header", "parent"),
    [
        (TRACEPARENT, (TRACE, SPAN, 1)),
        (f" 00-{TRACE}-{SPAN}-00 ", (TRACE, SPAN, 0)),
        (f"cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like", (TRACE, SPAN, 1)),
        (f"00-{TRACE}-{SPAN}-01-more", None),
        (f"ff-{TRACE}-{SPAN}-01", None),
        (f"00-{'0' * 32}-{SPAN}-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (f"00-{TRACE.upper()}-{SPAN}-01", None),
        (f"00-{TRACE}-{SPAN}", None),
        ("", None),
    ],
)
def test_traceparent_is_read_as_w3c_has_it(header: str, parent: tuple[str, str, int] | None) -> None:
    for name in (None, "POST"):
        with Tracer().following({"traceparent": header}, name):
            found = trace.get_current_span().get_span_context()
        if parent is None:
            assert not found.is_valid
        else:
            assert (f"{found.trace_id:032x}", f"{found.span_id:016x}", found.trace_flags) == parent


def test_every_line_of_a_request_has_its_trace_without_opentelemetry(hibari: WorkerProcess, api: httpx.Client) -> None:
    api.post(SPEECH, json={"input": TEXT}, headers={"X-Request-ID": "traced", "traceparent": TRACEPARENT})
    api.post(SPEECH, json={"input": TEXT}, headers={"X-Request-ID": "untraced", "traceparent": "junk"})
    hibari.wait_for("request", request_id="untraced")
    lines = [line for line in list(hibari.lines) if line.get("request_id") == "traced"]
    assert {"accepted", "request"} <= {line["message"] for line in lines}
    assert {line["trace_id"] for line in lines} == {TRACE}
    assert not any("trace_id" in line for line in list(hibari.lines) if line.get("request_id") == "untraced")


def test_a_request_for_speech_becomes_a_span_of_its_clients_trace() -> None:
    with collector() as sink:
        environment = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": sink.url,
            "OTEL_SERVICE_NAME": "english",
            "OTEL_BSP_SCHEDULE_DELAY": "10",
        }
        with worker_process(environment) as worker:
            worker.wait_for("ready")
            with httpx.Client(base_url=worker.url, timeout=PATIENCE_SECONDS) as client:
                headers = {"traceparent": TRACEPARENT, "tracestate": "vendor=1"}
                assert client.post(SPEECH, json={"input": TEXT, "voice": "heart"}, headers=headers).status_code == 200
                assert client.post(SPEECH, json={"input": ""}, headers={"X-Request-ID": "own"}).status_code == 400
                unsampled = {"traceparent": f"00-{TRACE}-{SPAN}-00"}
                assert client.post(SPEECH, json={"input": TEXT}, headers=unsampled).status_code == 200
                assert client.get("/health", headers=headers).status_code == 200
            own = worker.wait_for("request", request_id="own")["trace_id"]
            assert sink.wait_for_spans(4, PATIENCE_SECONDS)  # the worker's end waits only 2 s for a slow machine
            assert worker.terminate() == 0
        spans = sorted(sink.spans, key=lambda span: span.start_time_unix_nano)
        good, bad = (span for span in spans if span.kind == WireSpan.SPAN_KIND_SERVER)
        parts = [span for span in spans if span.parent_span_id == good.span_id]
    assert sink.services == {"english"}
    assert (good.name, good.kind) == (f"POST {SPEECH}", WireSpan.SPAN_KIND_SERVER)
    assert (good.trace_id.hex(), good.parent_span_id.hex(), good.trace_state) == (TRACE, SPAN, "vendor=1")
    assert {span.name for span in parts} == {"queue", "synthesis"}
    told = attributes(good)
    assert float(told.pop("tts.audio_seconds")) > 0.1
    assert told == {
        "tts.model": "hibari",
        "tts.voice": "heart",
        "tts.format": "mp3",
        "tts.cache_hits": 0,
        "tts.characters": len(TEXT),
        "http.response.status_code": 200,
        "tts.outcome": "200",
    }
    assert abs(good.start_time_unix_nano / 1e9 - time.time()) < PATIENCE_SECONDS
    assert (bad.trace_id.hex(), bad.parent_span_id, attributes(bad)["tts.outcome"]) == (own, b"", "400")
    assert good.status.code == bad.status.code == Status.STATUS_CODE_UNSET
    assert not any(word in str(span) for span in sink.spans for word in TEXT.split())


def test_what_is_spoken_and_the_parts_of_the_work_are_on_the_span(monkeypatch: pytest.MonkeyPatch) -> None:
    with collector() as sink:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", sink.url)
        send()
        [child] = [span for span in sink.spans if span.name == "queue wait"]
        [span] = [span for span in sink.spans if span is not child]
    assert attributes(span) == {
        "tts.model": "m",
        "tts.voice": "heart",
        "tts.format": "wav",
        "tts.characters": 5,
        "tts.audio_seconds": 1.5,
        "tts.cache_hits": 2,
        "http.response.status_code": 200,
        "tts.outcome": "aborted",
    }
    assert span.status.code == Status.STATUS_CODE_ERROR
    assert (child.trace_id, child.parent_span_id) == (span.trace_id, span.span_id)
    assert child.end_time_unix_nano - child.start_time_unix_nano == pytest.approx(2e9, abs=1e3)


def send() -> None:
    """Send one span as the middleware makes it, and its child."""
    tracer = make_tracer()
    with tracer.following({}, "POST /v1/audio/speech"):
        describe(voice="heart", audio_format="wav", characters=5, audio_seconds=1.5, cache_hits=2)
        now = time.monotonic()
        record("queue wait", now - 2, now)
        describe_answer(200, "aborted", "m")
    describe(voice="nobody")  # outside of a request there is no span to be described
    tracer.close(PATIENCE_SECONDS)


@pytest.mark.parametrize("silent", [True, False], ids=["takes and never answers", "is not there"])
def test_a_bad_collector_holds_up_neither_requests_nor_the_end(*, silent: bool) -> None:
    with collector() as sink:
        sink.silent = silent
        url = sink.url if silent else "http://127.0.0.1:1"
        with worker_process({"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_BSP_SCHEDULE_DELAY": "10"}) as worker:
            worker.wait_for("ready")
            with httpx.Client(base_url=worker.url, timeout=PATIENCE_SECONDS) as client:
                for _ in range(3):
                    assert client.post(SPEECH, json={"input": "One."}).status_code == 200
            if silent:
                assert sink.asked.wait(PATIENCE_SECONDS)
            assert worker.terminate() == 0
    if silent:
        assert worker.wait_for("lost the last traces: the collector does not answer")
    assert not any("exception" in line for line in worker.lines)


def test_without_the_extra_one_line_says_so_and_only_when_traces_are_wanted() -> None:
    script = "import sys; sys.modules['opentelemetry.sdk'] = None; "
    script += "from ttsworker.observe import logs; logs.configure(); "
    script += "from ttsworker.observe.tracing import make_tracer; make_tracer()"
    wanted = run(script, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1")
    assert len(wanted.splitlines()) == 1
    assert "the extra `otel` is not installed" in wanted
    assert run(script) == ""


@pytest.mark.parametrize("off", [{"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}, {}])
def test_the_sdk_is_not_even_imported_where_it_is_not_wanted(off: dict[str, str]) -> None:
    script = "import sys; from ttsworker.observe.tracing import make_tracer; make_tracer(); "
    script += "sdk = ('opentelemetry.sdk', 'opentelemetry.exporter'); "
    script += "print([name for name in sys.modules if name.startswith(sdk)], file=sys.stderr)"
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"} if off else {}
    assert run(script, **off, **endpoint) == "[]\n"


def run(script: str, **environment: str) -> str:
    """Run a script in a process of its own; returns what it logs."""
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    return done.stderr
