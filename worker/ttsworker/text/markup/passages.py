"""What a marked-up text becomes: passages of plain text."""

from dataclasses import dataclass


class InvalidMarkup(ValueError):
    """The text has markup that is refused; the message goes on after the name of the text's parameter."""


@dataclass(frozen=True)
class Passage:
    """A plain text that is spoken in one way."""

    text: str
    speed: float = 1.0
    """By which the request's speed is multiplied."""
    language: str | None = None
    """In place of the request's; None where the text names none."""
    pause: float | None = None
    """Seconds of silence before it, in place of the engine's; None where the text names none."""
