"""Put a model into an image: the step of Dockerfile.worker for `docker build --build-arg MODEL=SOURCE`.

The model is downloaded into the image, loaded, and made to speak. Then the image's own configuration names it, so that
the image serves it without settings; in Kubernetes it is `builtin://NAME`. The build fails where any of this does.
"""

import json
import logging
import re
import sys
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated
from urllib.parse import unquote, urlsplit

import typer

from ttscontract.engines import ENGINES
from ttscontract.model_folder import BUILTIN, IMAGE_CONFIG, IMAGE_MODEL_NAME, IMAGE_MODELS, PARTIAL_FOLDER
from ttscontract.reasons import Reason
from ttsworker.engines import ModelError
from ttsworker.engines.cpu import cpu_limit
from ttsworker.fetch.archive import SUFFIXES
from ttsworker.fetch.errors import FetchError
from ttsworker.fetch.job import fetch_model
from ttsworker.fetch.options import sha256_of
from ttsworker.fetch.progress import LINE_SECONDS, Progress, watched
from ttsworker.fetch.sources import Request
from ttsworker.fetch.terms import BUILD
from ttsworker.fetch.workspace import remove, size
from ttsworker.models.loaded import ModelOptions, load

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def bake(
    *,
    source: Annotated[str, typer.Option(help="Source of the model.")],
    sha256: Annotated[str | None, typer.Option(parser=sha256_of, help="SHA-256 of the downloaded file.")] = None,
    name: Annotated[str, typer.Option(help="Name of the model; default: that of the file.")] = "",
    engine: Annotated[str, typer.Option(help="Engine of the model; default: the first that can speak it.")] = "",
    models: Annotated[Path, typer.Option(help="Folder of the image's models.")] = Path(IMAGE_MODELS),
    config: Annotated[Path, typer.Option(help="The image's configuration.")] = Path(IMAGE_CONFIG),
) -> None:
    """Put a model into this image."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", force=True)
    try:
        name = checked_name(name or name_of(source), source)
        line = put(Request(source, sha256, terms=BUILD), name, [engine] if engine else _engines(), models, config)
    except (FetchError, ModelError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(line)


def name_of(source: str) -> str:
    """Return the name of the source's file, without its suffix, in the characters that a name may have."""
    file = source.removeprefix(BUILTIN) if source.startswith(BUILTIN) else unquote(urlsplit(source).path)
    last = PurePosixPath(file).name.lower()
    archive = next((suffix for suffix in sorted(SUFFIXES, key=len, reverse=True) if last.endswith(suffix)), "")
    stem = last.removesuffix(archive) if archive else PurePosixPath(last).stem
    return re.sub("[^a-z0-9.-]+", "-", stem).strip("-.")[:63].rstrip("-.")


def checked_name(name: str, source: str) -> str:
    """Return the name; raises FetchError for one that cannot be, or is another model's in every image."""
    if not re.fullmatch(IMAGE_MODEL_NAME, name):
        message = f"{name!r} is not a name for the model: set MODEL_NAME to lower-case letters, digits, - and ."
        raise FetchError(Reason.SOURCE_INVALID, message)
    own = BUILTIN + name
    if source != own and any(engine.builtin == own for engine in ENGINES):
        raise FetchError(Reason.SOURCE_INVALID, f"{own} is the engine's own voice: set MODEL_NAME to another name")
    return name


def put(request: Request, name: str, engines: Sequence[str], models: Path, config: Path) -> str:
    """Download the model, find the engine that speaks it, and write the configuration; return a line about it."""
    progress = Progress()
    with watched(progress, _show, LINE_SECONDS):
        manifest = fetch_model(request, models, name, progress).manifest
    remove(models / PARTIAL_FOLDER)
    engine, factor = _speaking(models / name, engines)
    content = {"engine": engine, "model_dir": str(models / name)}
    config.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    about = f"{size(manifest.bytes)}, spoken by {engine}, {factor:.3f} s for 1 s of audio"
    return f"the image has the model {name}, {about}; in Kubernetes it is {BUILTIN}{name}"


def _speaking(folder: Path, engines: Sequence[str]) -> tuple[str, float]:
    """Return the first engine that speaks the model, and how fast; raises ModelError when none does."""
    problems = []
    for engine in engines:
        try:
            loaded = load(ModelOptions(engine, folder), cpu_limit())
        except ModelError as error:
            problems.append(f"{engine}: {error}")
        else:
            loaded.engine.close()
            return engine, loaded.measured.real_time_factor
    raise ModelError("no engine of this image can speak the model: " + "; ".join(problems))


def _engines() -> list[str]:
    return [engine.name for engine in ENGINES]


def _show(phase: str, count: int, _total: int | None, _speed: int) -> None:
    typer.echo(f"{phase} {size(count)}" if count else phase, err=True)


if __name__ == "__main__":
    sys.exit(app(prog_name="python -m ttsworker.fetch.bake"))
