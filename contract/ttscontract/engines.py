"""The engine catalogue. A new engine is one row here and one module in the worker; everything else is derived.

From a row come the CRD's enum, rules and texts, the resources and GPUs of a worker's pod, the engine's class in the
worker, what `ttsworker check` looks for, and the table of engines in docs/api.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Precision(StrEnum):
    """Number format of the computation."""

    AUTO = "Auto"
    FLOAT32 = "Float32"
    FLOAT16 = "Float16"
    BFLOAT16 = "BFloat16"


@dataclass(frozen=True)
class Engine:
    """A program that speaks models."""

    name: str
    """Its name in `spec.engine` and in the worker's setting `engine`."""
    summary: str
    """What it speaks and on what, in a few words."""
    module: str
    """Its class in the worker, as an entry point names it: `package.module:Class`."""
    model_folder: str
    """What a folder must hold to be a model of this engine."""
    licence: str
    """SPDX expression of the engine's packages; a model has a licence of its own."""
    requests: Mapping[str, str]
    """Resources that a worker's container requests by default, as Kubernetes quantities."""
    limits: Mapping[str, str]
    """Resource limits of a worker's container by default, GPUs excepted."""
    gpus: int
    """GPUs of a worker by default; an engine with 0 runs on the CPU and uses no GPU."""
    precisions: tuple[Precision, ...]
    """Values of `spec.serving.precision` that it can run in."""
    builtin: str | None = None
    """Source of the model inside the worker image: `builtin://` and a name; None where there is none."""
    programs: Mapping[str, str] = field(default_factory=dict)
    """Programs that must be installed beside the worker, each with the reason."""


ENGINES: Final[tuple[Engine, ...]] = (
    Engine(
        name="hibari",
        summary="English ONNX voices, no GPU needed",
        module="ttsworker.engines.hibari.engine:HibariEngine",
        model_folder="one voice or more: `*.onnx`",
        licence="Apache-2.0",
        requests={"cpu": "250m", "memory": "512Mi"},
        limits={"memory": "2Gi"},
        gpus=0,
        precisions=(Precision.AUTO, Precision.FLOAT32),
        builtin="builtin://hibari",
    ),
    Engine(
        name="onnx",
        summary="Piper voices on the CPU",
        module="ttsworker.engines.onnx.engine:OnnxEngine",
        model_folder="one Piper voice or more: `NAME.onnx` and, beside it, `NAME.onnx.json`",
        licence="Apache-2.0",
        requests={"cpu": "500m", "memory": "512Mi"},
        limits={"memory": "2Gi"},
        gpus=0,
        precisions=(Precision.AUTO, Precision.FLOAT32),
        programs={"espeak-ng": "it turns texts into the phonemes of Piper voices"},
    ),
    Engine(
        name="coqui",
        summary="VITS on torch",
        module="ttsworker.engines.coqui.engine:CoquiEngine",
        model_folder="a VITS in Coqui's native format: `config.json` and, beside it, the checkpoint (`model_file.pth`)",
        licence="MPL-2.0",
        requests={"cpu": "1", "memory": "3Gi"},
        limits={"memory": "8Gi"},
        gpus=1,
        precisions=tuple(Precision),
        programs={"ffmpeg": "torchcodec needs its libraries", "espeak-ng": "models that speak phonemes need it"},
    ),
)
"""All engines of this release; the first is the default, and has a built-in model."""


def find(name: str) -> Engine | None:
    """Return the engine of this name, None where the catalogue has none."""
    return next((engine for engine in ENGINES if engine.name == name), None)
