"""The ONNX graph of a voice, made deterministic.

A VITS draws noise twice: for the durations and for the sound. In an exported graph the node RandomNormalLike draws it,
and ONNX Runtime seeds that node once, when the model is loaded; its state then moves on with every call of every
thread. So the same text would never sound the same twice. Here each such node becomes an input, a row of random numbers
that the caller draws from the utterance's seed and from which the graph takes as many as it needs.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ttsworker.engines.errors import ModelInvalid
from ttsworker.engines.onnx_file import refuse_external_data

# Since 1.29 ONNX Runtime reports to its maker and keeps an id of the machine under HOME, unless this is set before its
# import. A program that speaks other people's texts calls nobody.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

INPUTS = frozenset({"input", "input_lengths", "scales"})
SPEAKER = "sid"
NOISE = "ttsworker_noise_"
"""Of the inputs that are added, before their number."""

RANDOM = frozenset(
    {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"}
)
STANDARD = {"mean": 0.0, "scale": 1.0}
"""Of the normal distribution, and what the node's attributes are where it has none."""


class Graph:
    """One session, which any number of threads may call at once; each call computes on its own thread."""

    def __init__(self, path: Path, *, speakers: bool) -> None:
        import onnxruntime  # noqa: PLC0415 - takes a second, and the variable above comes first

        refuse_external_data(path)
        content, self.noises = _with_noise_inputs(path, INPUTS | {SPEAKER} if speakers else INPUTS)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_mem_pattern = False  # it plans the memory of each length, and every text has another
        options.log_severity_level = 3  # a warning for each weight that is not used helps nobody
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's errors share no base below Exception
            raise ModelInvalid(f"ONNX Runtime cannot load {path.name}: {_first_line(error)}") from error

    def run(self, inputs: Mapping[str, Any]) -> Any:
        """Return the first output."""
        return self._session.run(None, inputs)[0]


def _with_noise_inputs(path: Path, expected: frozenset[str]) -> tuple[bytes, Sequence[str]]:
    """Return the model with an input for each noise, and the names of these inputs. Raises ModelInvalid."""
    import onnx  # noqa: PLC0415 - takes half a second

    try:
        model = onnx.load(path, load_external_data=False)
    except Exception as error:  # protobuf's and the library's errors share no base below Exception
        raise ModelInvalid(f"{path.name} is not an ONNX model: {_first_line(error)}") from error
    weights = {weight.name for weight in model.graph.initializer}
    inputs = {value.name for value in model.graph.input} - weights
    if inputs != expected:
        raise ModelInvalid(
            f"{path.name} is an ONNX model but not this Piper voice: its inputs are {_names(inputs)} instead of "
            f"{_names(expected)}"
        )
    if nested := _nested_random(model.graph):
        raise ModelInvalid(f"{path.name} draws random numbers with {nested} inside a condition or a loop")
    nodes: list[Any] = []
    noises: list[str] = []
    for node in model.graph.node:
        if node.op_type not in RANDOM:
            nodes.append(node)
            continue
        if node.op_type != "RandomNormalLike" or any(
            STANDARD.get(each.name, each.f) != each.f for each in node.attribute
        ):
            raise ModelInvalid(f"{path.name} draws random numbers with {node.op_type}, which cannot be seeded")
        noise = f"{NOISE}{len(noises)}"
        noises.append(noise)
        nodes += _taking(onnx.helper, noise, node.input[0], node.output[0])
        model.graph.input.append(onnx.helper.make_tensor_value_info(noise, onnx.TensorProto.FLOAT, [None]))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model.SerializeToString(), noises


def _nested_random(graph: Any) -> str:
    """Return the operation that draws random numbers in a graph inside this one; "" where none does."""
    inner = [each.g for node in graph.node for each in node.attribute if each.HasField("g")]
    while inner:
        nodes = inner.pop().node
        if found := next((node.op_type for node in nodes if node.op_type in RANDOM), ""):
            return found
        inner += [each.g for node in nodes for each in node.attribute if each.HasField("g")]
    return ""


def _taking(helper: Any, noise: str, like: str, output: str) -> list[Any]:
    """Make nodes that fill the shape of `like` with the noise, which begins again where it is too short."""

    def name(part: str) -> str:
        return f"{noise}_{part}"

    return [
        helper.make_node("Shape", [like], [name("shape")]),
        helper.make_node("Size", [like], [name("size")]),
        helper.make_node("Size", [noise], [name("length")]),
        helper.make_node("Constant", [], [name("zero")], value_int=0),
        helper.make_node("Constant", [], [name("one")], value_int=1),
        helper.make_node("Range", [name("zero"), name("size"), name("one")], [name("range")]),
        helper.make_node("Mod", [name("range"), name("length")], [name("places")]),
        helper.make_node("Gather", [noise, name("places")], [name("row")], axis=0),
        helper.make_node("Reshape", [name("row"), name("shape")], [output]),
    ]


def _names(names: frozenset[str] | set[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
