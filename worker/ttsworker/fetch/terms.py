"""What messages call the things that a person can change: fields of a TTSService, or options of the command."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Terms:
    """The source, its checksum, how to get more room, and where the source is written for others to read."""

    source: str
    sha256: str
    more_room: str
    record: str


TTSSERVICE: Final = Terms(
    source="spec.model.source",
    sha256="spec.model.sha256",
    more_room="increase spec.storage.size, or make room on the existing claim",
    record="the TTSService",
)
BUILD: Final = Terms(source="MODEL", sha256="MODEL_SHA256", more_room="make room there", record="the image")
COMMAND: Final = Terms(
    source="SOURCE",
    sha256="--sha256",
    more_room="make room there, or choose another folder with --to",
    record="the model's manifest",
)
