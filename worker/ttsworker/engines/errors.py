"""Why a model cannot be used, or a text cannot be spoken."""

from typing import ClassVar

from ttscontract.reasons import Reason


class ModelError(Exception):
    """A model that cannot be used; the message says in one line what to do."""

    reason: ClassVar[Reason] = Reason.MODEL_INVALID


class ModelInvalid(ModelError):
    """The model's files are whole but not a model that this engine speaks."""

    reason = Reason.MODEL_INVALID


class EngineUnavailable(ModelError):
    """The engine is not known, or not part of this image."""

    reason = Reason.ENGINE_UNAVAILABLE


class GpuUnavailable(ModelError):
    """There is a GPU in the container that the engine cannot use."""

    reason = Reason.GPU_UNAVAILABLE


class Unspeakable(Exception):
    """A text that this engine cannot read out; the request is wrong, not the engine."""
