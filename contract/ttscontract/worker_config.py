"""The schema of worker.json, which the operator writes and the worker reads: one row a setting.

The CRD's `spec.serving` and the worker's settings take default, bounds and help from the rows. A new setting of
`spec.serving` is one row, one field of the operator's `Serving` and one of the worker's `Settings`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Generic, TypeVar

from ttscontract.engines import ENGINES, Precision
from ttscontract.words import one_of

T_co = TypeVar("T_co", covariant=True)


class Manager(StrEnum):
    """Who runs a worker: it decides which model folders it accepts, and what its messages advise."""

    USER = "User"
    OPERATOR = "Operator"


class TextLogging(StrEnum):
    """How much of a text the log shows."""

    MASKED = "Masked"  # the middle 60 % is hidden
    NONE = "None"
    FULL = "Full"


class UnknownVoice(StrEnum):
    """What a worker does with a request for a voice that it does not know."""

    DEFAULT = "Default"  # speaks it with the default voice
    REJECT = "Reject"


class UnknownFields(StrEnum):
    """What a worker does with a request that has fields of other servers."""

    IGNORE = "Ignore"  # speaks it and names them in a header
    REJECT = "Reject"


class Markup(StrEnum):
    """What a text is written in."""

    AUTO = "Auto"  # Markdown where the text has signs of it, else plain
    PLAIN = "Plain"
    MARKDOWN = "Markdown"
    SSML = "SSML"


class Tags(StrEnum):
    """What happens to the tags of HTML in a text that is not SSML."""

    REJECT = "Reject"
    STRIP = "Strip"


class OnUnspeakable(StrEnum):
    """What a worker does about characters that the model cannot speak."""

    SKIP = "Skip"  # leaves them out and says in a header how many
    REJECT = "Reject"


@dataclass(frozen=True)
class Setting(Generic[T_co]):
    """One setting: its name in worker.json (in `spec.serving` the same in camelCase), default, bounds, unit and help.

    A value is at least `minimum` or, where the worker takes fractions, more than `above`; and at most `maximum`.
    """

    name: str
    default: T_co
    help: str
    unit: str = ""
    minimum: int | None = None
    above: int | None = None
    maximum: int | None = None

    @property
    def least_whole_number(self) -> int | None:
        """The lower bound of whole numbers, which are all that the Kubernetes API has."""
        return self.minimum if self.above is None else self.above + 1


ENGINE: Final = Setting(
    "engine",
    ENGINES[0].name,
    f"Engine that runs the model: {one_of(engine.name for engine in ENGINES)}, or one that another package adds.",
)
MODEL_DIR: Final = Setting("model_dir", None, "Folder of the model; when absent, the engine uses its embedded voice.")
MANAGED_BY: Final = Setting(
    "managed_by",
    Manager.USER,
    "Who runs this worker. With Operator it refuses a model folder that the download Job did not publish.",
)
PRECISION: Final = Setting(
    "precision",
    Precision.AUTO,
    "Number format of the computation; Auto selects one that is safe on the worker's hardware.",
)
MAX_THREADS: Final = 1024
THREADS: Final = Setting(
    "threads",
    0,
    "CPU threads of the engine; 0 uses the container's CPU limit.",
    "threads",
    minimum=0,
    maximum=MAX_THREADS,
)
MAX_CONCURRENCY: Final = Setting(
    "max_concurrency",
    8,
    "Requests that a worker speaks at once; further requests wait.",
    "requests",
    minimum=1,
    maximum=1024,
)
MAX_BATCH_SIZE: Final = Setting(
    "max_batch_size",
    5,
    "Sentences of several requests that the engine speaks in one call, if it supports batches.",
    "sentences",
    minimum=1,
    maximum=64,
)
MAX_QUEUE_LENGTH: Final = Setting(
    "max_queue_length",
    64,
    "Requests that may wait in a worker; it answers further requests with 429 and Retry-After.",
    "requests",
    minimum=0,
    maximum=100_000,
)
MAX_QUEUE_AUDIO_SECONDS: Final = Setting(
    "max_queue_audio_seconds",
    120,
    "Seconds of audio that may wait in a worker, estimated from the texts; it answers further requests with 429.",
    "seconds",
    above=0,
    maximum=86_400,
)
MAX_TEXT_LENGTH: Final = Setting(
    "max_text_length",
    4096,
    "Characters that a request may have; a worker answers a longer text with 400.",
    "characters",
    minimum=1,
    maximum=100_000,
)
REQUEST_TIMEOUT_SECONDS: Final = Setting(
    "request_timeout_seconds",
    60,
    "Longest wait for a request's next audio, in seconds; then the worker ends the request.",
    "seconds",
    above=0,
    maximum=3600,
)
DRAIN_TIMEOUT_SECONDS: Final = Setting(
    "drain_timeout_seconds",
    30,
    "Seconds that a stopping worker has to finish the requests it accepted.",
    "seconds",
    above=0,
    maximum=3600,
)
TEXT_LOGGING: Final = Setting(
    "text_logging",
    TextLogging.MASKED,
    "How much of a text the log shows: Masked hides the middle 60 %, None hides all of it, Full hides nothing.",
)
MARKUP: Final = Setting(
    "markup",
    Markup.AUTO,
    "What a text is written in where the request does not say: Plain, Markdown, SSML, or Auto: Markdown where the text "
    "has signs of it, else plain.",
)
TAGS: Final = Setting(
    "tags",
    Tags.REJECT,
    "Tags of HTML in a text: Reject answers with 400, Strip removes the tags, and scripts, styles and a language "
    "model's reasoning with all they contain.",
)
ON_UNSPEAKABLE: Final = Setting(
    "on_unspeakable",
    OnUnspeakable.SKIP,
    "What to do about characters that the model cannot speak: Skip leaves them out, and the header X-TTS-Skipped says "
    "how many; Reject answers 400. A request may decide otherwise.",
)

MAX_VOICE_ALIASES: Final = 64
MAX_VOICE_ALIAS_LENGTH: Final = 64
MAX_VOICE_NAME_LENGTH: Final = 256
VOICE_ALIASES: Final = Setting[dict[str, str]](
    "voice_aliases",
    {},
    "More names for voices: each alias with the voice that speaks. OpenAI's voice names need no alias; they speak with "
    "the model's voices.",
)
UNKNOWN_VOICE: Final = Setting(
    "unknown_voice",
    UnknownVoice.REJECT,
    "What a worker does with a request for an unknown voice: Reject answers it with 400, Default speaks it with the "
    "default voice.",
)

UNKNOWN_FIELDS: Final = Setting(
    "unknown_fields",
    UnknownFields.IGNORE,
    "What a worker does with a request that has unknown fields: Ignore speaks it and names them in the header "
    "X-TTS-Ignored, Reject answers it with 400.",
)

ORIGIN: Final = r"^(\*|[a-z][a-z0-9+.-]*://[a-z0-9.:_\[\]-]+)$"
"""How browsers write the origin of a page: scheme, host and a port that is not the scheme's own; or every origin."""
MAX_ORIGIN_LENGTH: Final = 300
MAX_ORIGINS: Final = 64
ALLOWED_ORIGINS: Final[Setting[list[str]]] = Setting(
    "allowed_origins",
    [],
    "Origins of web pages that may call the API from a browser, such as https://app.example.org or"
    " http://localhost:3000, without a path; * allows every page. Empty: only the worker's own page may.",
)

MIN_SPEED: Final = 0.25
MAX_SPEED: Final = 4.0
"""What a request may ask for; 1 is normal."""

MIN_RATE: Final = 0.001
MAX_RATE: Final = 100_000
MAX_BURST: Final = 100_000
"""Between these bounds all times of the rate limit are exact in a double, with which Lua in Redis counts."""

RATE_LIMIT_PER_SECOND: Final = Setting(
    "rate_limit_per_second",
    10,
    f"Requests for speech that a client may send on average, at least {MIN_RATE:g}; 0 means no limit.",
    "requests per second",
    minimum=0,
    maximum=MAX_RATE,
)
RATE_LIMIT_BURST: Final = Setting(
    "rate_limit_burst", 20, "Requests that a client may send at once.", "requests", minimum=1, maximum=MAX_BURST
)
MAX_REQUESTS_PER_CLIENT: Final = Setting(
    "max_requests_per_client",
    RATE_LIMIT_BURST.default,
    "Requests for speech that a client may have in a worker at once; 0 means no limit.",
    "requests",
    minimum=0,
    maximum=MAX_BURST,
)

WRITTEN: Final[tuple[Setting[object], ...]] = (
    ENGINE,
    MODEL_DIR,
    MANAGED_BY,
    PRECISION,
    THREADS,
    MAX_CONCURRENCY,
    MAX_BATCH_SIZE,
    MAX_QUEUE_LENGTH,
    MAX_QUEUE_AUDIO_SECONDS,
    MAX_TEXT_LENGTH,
    REQUEST_TIMEOUT_SECONDS,
    DRAIN_TIMEOUT_SECONDS,
    TEXT_LOGGING,
    VOICE_ALIASES,
    UNKNOWN_VOICE,
    UNKNOWN_FIELDS,
    ALLOWED_ORIGINS,
    MARKUP,
    TAGS,
    ON_UNSPEAKABLE,
    RATE_LIMIT_PER_SECOND,
    MAX_REQUESTS_PER_CLIENT,
)
"""What the operator writes into worker.json, in this order. Another order would be another file and restart workers."""

_COMPUTED: Final = (ENGINE, MODEL_DIR, MANAGED_BY, THREADS, RATE_LIMIT_PER_SECOND, MAX_REQUESTS_PER_CLIENT)
SERVING: Final = tuple(row for row in WRITTEN if row not in _COMPUTED)
"""The fields of `spec.serving`; the operator computes the others."""
