"""The page /details of Coqui's tts-server: the model and its settings. It shows no path, address or secret."""

from collections.abc import Mapping
from html import escape

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from ttsworker.http.routes.bodies import ActiveModel, LoadedParts
from ttsworker.settings import Settings
from ttsworker.speech.languages import spoken_languages

# An explicit list, so that a new setting stays hidden until somebody decides to show it.
_SHOWN = {
    "engine",
    "precision",
    "max_concurrency",
    "max_batch_size",
    "max_queue_length",
    "max_text_length",
    "request_timeout_seconds",
    "cache_ttl_seconds",
}

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title></head>
<body>
<h1>{title}</h1>
<table>
{rows}
</table>
</body>
</html>
"""

router = APIRouter(tags=["Coqui"])


@router.get("/details", response_class=HTMLResponse)
async def details(parts: LoadedParts, model: ActiveModel) -> HTMLResponse:
    """Show the model and the settings that a client may want to know."""
    engine = model.engine
    facts = {
        "model": model.name,
        "device": engine.device,
        "sample_rate": engine.sample_rate,
        "voices": ", ".join(voice.name for voice in engine.voices),
        "languages": ", ".join(spoken_languages(engine)),
    }
    return HTMLResponse(render(facts | shown_settings(parts.settings)))


def shown_settings(settings: Settings) -> dict[str, object]:
    """Return the settings that every client may see."""
    return settings.model_dump(include=_SHOWN)


def render(facts: Mapping[str, object]) -> str:
    """Return an HTML page with a row for each fact."""
    rows = [f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>" for name, value in facts.items()]
    return _PAGE.format(title="TTS worker: details", rows="\n".join(rows))
