"""The typed TTSService: the single source of the CRD's schema."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel


class InvalidSpec(Exception):  # noqa: N818 - it names what is wrong with the object, not with the program
    """The object cannot be acted upon; `reason` and `message` go into the Stalled condition of `generation`."""

    def __init__(self, reason: str, message: str, generation: int) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.generation = generation


class TTSServiceSpec(BaseModel):
    """What the user asks for."""


class TTSService(BaseModel):
    """One object as the operator sees it."""

    name: str
    namespace: str
    uid: str
    generation: int
    deleting: bool
    spec: TTSServiceSpec


def parse(body: Mapping[str, Any]) -> TTSService:
    """Read an object of the API; raises InvalidSpec with a message for the user."""
    raise NotImplementedError
