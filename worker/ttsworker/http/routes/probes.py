"""For kubelets and people: is the worker alive, may it be asked, what did its last test synthesis show."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse

from ttscontract.pods import HEALTH_PATH, READY_PATH
from ttsworker.http.routes.bodies import AppParts
from ttsworker.observe.logs import time_text

router = APIRouter(tags=["Probes"])


@router.get(HEALTH_PATH, responses={503: {"description": "The engine is stuck or does not speak."}})
async def health(parts: AppParts) -> JSONResponse:
    """Report the last test synthesis; 503 requests a restart, starting and draining are healthy."""
    problem = parts.failover.problem()
    state = "ok" if parts.admission.state == "open" else parts.admission.state
    report: dict[str, Any] = {"status": "unhealthy" if problem else state, "problem": problem}
    if parts.failover.loaded:
        model = parts.failover.active
        check, gpu = model.health.last, model.health.gpu_figures
        report |= {
            "model": model.name,
            "device": model.engine.device,
            "last_check": time_text(check.at) if check else None,
            "latency_seconds": round(check.latency_seconds, 4) if check else None,
            "audio_seconds": round(check.audio_seconds, 4) if check else None,
            "gpu_available": gpu is not None,
            "gpu_memory_used_bytes": gpu.memory_used if gpu else None,
            "gpu_memory_total_bytes": gpu.memory_total if gpu else None,
        }
    return JSONResponse(report, 503 if problem else 200)


@router.get(READY_PATH, responses={503: {"description": "The worker is not ready for requests."}})
async def ready(parts: AppParts) -> JSONResponse:
    """Answer 200 once the worker has warmed up and until it shuts down."""
    reason = parts.not_ready()
    return JSONResponse({"ready": reason is None, "reason": reason}, 503 if reason else 200)
