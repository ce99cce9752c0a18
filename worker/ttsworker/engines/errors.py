"""Why a model cannot be used, or a text cannot be spoken."""


class ModelError(Exception):
    """A model that cannot be used; `reason` is one CamelCase word, the message says in one line what to do."""

    reason = "ModelInvalid"


class ModelInvalid(ModelError):
    """The model's files are whole but not a model that this engine speaks."""

    reason = "ModelInvalid"


class EngineUnavailable(ModelError):
    """The engine is not known, or not part of this image."""

    reason = "EngineUnavailable"


class GpuUnavailable(ModelError):
    """There is a GPU in the container that the engine cannot use."""

    reason = "GpuUnavailable"


class Unspeakable(Exception):
    """A text that this engine cannot read out; the request is wrong, not the engine."""
