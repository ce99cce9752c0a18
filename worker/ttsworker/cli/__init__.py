"""The command line: what it takes, on one page. What a command does is in the module of its name.

Those are imported when a command runs: the server's libraries take seconds, and `--help` should not wait for them.
"""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from ttscontract.engines import ENGINES
from ttscontract.pods import HTTP_PORT
from ttscontract.words import one_of

HELP = "Text-to-speech server of tts-operator."

Engine = Annotated[
    str | None,
    typer.Option(help=f"What speaks: {one_of(each.name for each in ENGINES)}.", show_default=ENGINES[0].name),
]
ModelDir = Annotated[Path | None, typer.Option(help="A published model.", show_default="the embedded voice")]

app = typer.Typer(
    help=HELP, add_completion=False, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False
)


class ServeCommand(TyperCommand):
    """Ends its help with the settings; only there are they worth the time to import them."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the names of the variables and what they are for."""
        from ttsworker.cli.variables import variables  # noqa: PLC0415 - see the module's docstring

        super().format_epilog(ctx, formatter)
        with formatter.section("Settings, in the environment"):
            formatter.write_dl(variables())


@app.command(cls=ServeCommand)
def serve(
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Of the API.", show_default=str(HTTP_PORT))] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default="0.0.0.0")] = None,
    model_dir: ModelDir = None,
    engine: Engine = None,
) -> None:
    """Serve speech on port 5002 and metrics on 9090.

    Everything else is set by the JSON file that TTSWORKER_CONFIG names and by the variables below, which win over it;
    an option wins over both. Without any, an embedded English voice speaks.
    """
    from ttsworker.cli.serve import run_server  # noqa: PLC0415 - see the module's docstring

    sys.exit(run_server(_given(port=port, host=host, model_dir=model_dir, engine=engine)))


@app.command()
def say(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to say; - is standard input.", show_default=False)],
    *,
    output: Annotated[
        str, typer.Option("--output", "-o", help="File to write; - is standard output.", show_default="speech.FORMAT")
    ] = "",
    voice: Annotated[str | None, typer.Option(help="A voice of the model.", show_default="its first")] = None,
    speed: Annotated[float, typer.Option(min=0.25, max=4.0, help="2 speaks twice as fast.")] = 1.0,
    audio_format: Annotated[str, typer.Option("--format", help="Of the audio.")] = "wav",
    model_dir: ModelDir = None,
    engine: Engine = None,
) -> None:
    """Speak a text into a file, without a server.

    The file appears when it is complete, and not at all when something fails. Settings are those of `serve`.
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
    """Find out whether this machine can serve, and what to do if not.

    One line for each thing: OK, WARN or FAIL. The exit code is 1 when something failed. Settings are those of `serve`.
    """
    from ttsworker.cli.check import check_all  # noqa: PLC0415 - see the module's docstring

    sys.exit(check_all(_given(model_dir=model_dir, engine=engine), as_json=json))


def main() -> None:
    """Run the command line."""
    app(prog_name="ttsworker")


def _given(**options: Any) -> dict[str, Any]:
    """Return the options that were given, by the names of their settings."""
    return {name: value for name, value in options.items() if value is not None}
