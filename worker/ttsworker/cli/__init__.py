"""The commands and options of the command line. The module named after a command implements it.

A command imports its module when it runs, because the server's libraries take seconds and `--help` should not wait.
"""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from ttscontract.engines import ENGINES
from ttscontract.pods import HTTP_PORT, METRICS_PORT
from ttscontract.words import one_of
from ttscontract.worker_config import MAX_SPEED, MIN_SPEED
from ttsworker.fetch.options import ATTEMPTS, sha256_of

HELP = "Text-to-speech server of tts-operator."

Engine = Annotated[
    str | None,
    typer.Option(
        help=f"Engine that runs the model: {one_of(each.name for each in ENGINES)}.", show_default=ENGINES[0].name
    ),
]
ModelDir = Annotated[Path | None, typer.Option(help="Folder of the model.", show_default="the embedded voice")]


app = typer.Typer(
    help=HELP, add_completion=False, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False
)


class ServeCommand(TyperCommand):
    """Lists the settings at the end of its help; imports them only then, because that takes time."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the name and the meaning of each variable."""
        from ttsworker.cli.variables import variables  # noqa: PLC0415 - see the module's docstring

        super().format_epilog(ctx, formatter)
        with formatter.section("Environment variables"):
            formatter.write_dl(variables())


@app.command(cls=ServeCommand)
def serve(
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help=f"Port of the API; metrics have port {METRICS_PORT}.", show_default=str(HTTP_PORT)
        ),
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default="0.0.0.0")] = None,
    model_dir: ModelDir = None,
    engine: Engine = None,
) -> None:
    """Serve speech.

    The JSON file that TTSWORKER_CONFIG names and the variables below set everything else. A variable overrides the
    file, and an option overrides both. The default is an embedded English voice.
    """
    from ttsworker.cli.serve import run_server  # noqa: PLC0415 - see the module's docstring

    sys.exit(run_server(_given(port=port, host=host, model_dir=model_dir, engine=engine)))


@app.command()
def say(
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="Text to speak; - reads standard input.", show_default=False)
    ],
    *,
    output: Annotated[
        str,
        typer.Option("--output", "-o", help="Output file; - writes to standard output.", show_default="speech.FORMAT"),
    ] = "",
    voice: Annotated[str | None, typer.Option(help="Voice of the model.", show_default="its first")] = None,
    speed: Annotated[float, typer.Option(min=MIN_SPEED, max=MAX_SPEED, help="2 speaks twice as fast.")] = 1.0,
    audio_format: Annotated[str, typer.Option("--format", help="Format of the audio.")] = "wav",
    model_dir: ModelDir = None,
    engine: Engine = None,
) -> None:
    """Speak a text into a file, without a server.

    The file appears only when it is complete. The settings are those of `serve`.
    """
    from ttsworker.cli.say import Order, say_text  # noqa: PLC0415 - see the module's docstring

    order = Order(text, output or f"speech.{audio_format}", voice, speed, audio_format)
    sys.exit(say_text(order, _given(model_dir=model_dir, engine=engine)))


@app.command()
def check(
    *,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    model_dir: ModelDir = None,
    engine: Engine = None,
) -> None:
    """Check whether this machine can serve, and say how to fix what it lacks.

    Prints one line for each check: OK, WARN or FAIL. The exit code is 1 if a check failed. The settings are those of
    `serve`.
    """
    from ttsworker.cli.check import check_all  # noqa: PLC0415 - see the module's docstring

    sys.exit(check_all(_given(model_dir=model_dir, engine=engine), as_json=json))


@app.command()
def fetch(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help=f"https:// URL of a model file or of an archive of a model folder, http:// with --sha256, or "
            f"{one_of(each.builtin for each in ENGINES if each.builtin)}.",
            show_default=False,
        ),
    ],
    *,
    to: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of the model; what an earlier download put there is replaced.")
    ],
    sha256: Annotated[
        str | None, typer.Option(metavar="HEX", parser=sha256_of, help="SHA-256 of the downloaded file.")
    ] = None,
    attempts: Annotated[int, typer.Option(min=1, help="Attempts in a row that may bring no bytes.")] = ATTEMPTS,
) -> None:
    """Download a model into a folder, for --model-dir of `serve`.

    The folder appears when the model is complete and verified; until then the download is in `.partial` beside it, and
    the same command continues it. Exit codes: 0 the model is there, 75 the source cannot be reached, 2 the command line
    is wrong, 1 any other failure.
    """
    from ttsworker.cli.fetch import fetch_to  # noqa: PLC0415 - see the module's docstring

    sys.exit(fetch_to(source, to, sha256, attempts))


def main() -> None:
    """Run the command line."""
    app(prog_name="ttsworker")


def _given(**options: Any) -> dict[str, Any]:
    """Return the options that the user gave, by the names of their settings."""
    return {name: value for name, value in options.items() if value is not None}
