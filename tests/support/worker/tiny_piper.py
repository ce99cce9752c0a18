"""Makes a tiny voice in Piper's format: it hums instead of speaking, at a pitch that text and speaker decide.

What it shares with a real voice: the inputs and the output, two draws of noise, one for the length and one for the
sound, and their scales.
"""
# ruff: noqa: RUF001 - the phonemes are intended

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper

from ttsworker.engines import EngineOptions, find_engine
from ttsworker.engines.onnx.engine import OnnxEngine

SAMPLE_RATE = 22_050
SAMPLES_PER_ID = 600

PHONEMES = "_^$ !',-.:;?abcdefhijklmnopqrstuvwxyzæðŋɐɑɒɔəɚɛɜɡɪɹɾʃʊʌʒˈˌːθᵻ0123456789"


def settings(speakers: Mapping[str, int] | None = None, **changes: Any) -> dict[str, Any]:
    """What the JSON of such a voice says."""
    return {
        "audio": {"sample_rate": SAMPLE_RATE, "quality": "low"},
        "espeak": {"voice": "en-us"},
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
        "phoneme_type": "espeak",
        "phoneme_map": {},
        "phoneme_id_map": {phoneme: [number] for number, phoneme in enumerate(PHONEMES)},
        "num_symbols": 256,
        "num_speakers": len(speakers or {}) or 1,
        "speaker_id_map": dict(speakers or {}),
        **changes,
    }


def write(
    folder: Path,
    name: str = "tiny",
    speakers: Mapping[str, int] | None = None,
    *,
    random: str = "RandomNormalLike",
    more_inputs: Sequence[str] = (),
    **changes: Any,
) -> Path:
    """Write NAME.onnx and NAME.onnx.json, and return the former; `changes` are keys of the JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.onnx"
    onnx.save(graph(several=bool(speakers), random=random, more_inputs=more_inputs), path)
    path.with_name(f"{path.name}.json").write_text(json.dumps(settings(speakers, **changes)))
    return path


def graph(*, several: bool, random: str, more_inputs: Sequence[str]) -> onnx.ModelProto:
    nodes = [
        helper.make_node("Constant", [], ["per_id"], value_float=float(SAMPLES_PER_ID)),
        helper.make_node("Constant", [], ["one"], value_int=1),
        helper.make_node("Constant", [], ["zero"], value_int=0),
        helper.make_node("Constant", [], ["some"], value_float=0.1),
        helper.make_node("Constant", [], ["step"], value_float=0.0001),
        helper.make_node("Constant", [], ["first"], value_float=0.05),
        helper.make_node("Constant", [], ["louder"], value_float=0.3),
        helper.make_node("Constant", [], ["shape"], value_ints=[1, 1, 1, -1]),
        helper.make_node("Split", ["scales"], ["noise_scale", "length_scale", "noise_w"], axis=0),
        # How long: so many samples for each id, more or less by the first noise.
        helper.make_node("Cast", ["input"], ["ids"], to=TensorProto.FLOAT),
        helper.make_node(random, ["ids"], ["noise_1"]),
        *_chain("noise_1", ("Mul", "noise_w"), ("Mul", "some"), ("Exp",), ("Mul", "length_scale"), ("Mul", "per_id"),
                ("ReduceSum",), ("Ceil",), to="total"),
        helper.make_node("Squeeze", ["total"], ["samples"]),
        helper.make_node("Cast", ["samples"], ["length"], to=TensorProto.INT64),
        helper.make_node("Range", ["zero", "length", "one"], ["places"]),
        helper.make_node("Cast", ["places"], ["time"], to=TensorProto.FLOAT),
        # How high: by the sum of the ids, and by the speaker.
        helper.make_node("ReduceMean", ["ids"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "step"], ["by_ids"]),
        helper.make_node("Cast", ["sid" if several else "zero"], ["speaker"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["speaker", "some"], ["by_speaker"]),
        *_chain("by_ids", ("Add", "by_speaker"), ("Add", "first"), ("Mul", "time"), ("Sin",), ("Mul", "louder"),
                to="hum"),
        helper.make_node("RandomNormalLike", ["time"], ["noise_2"]),
        *_chain("noise_2", ("Mul", "noise_scale"), ("Mul", "some"), ("Add", "hum"), to="audio"),
        helper.make_node("Reshape", ["audio", "shape"], ["output"]),
    ]  # fmt: skip
    inputs = [
        helper.make_tensor_value_info("input", TensorProto.INT64, [1, "phonemes"]),
        helper.make_tensor_value_info("input_lengths", TensorProto.INT64, [1]),
        helper.make_tensor_value_info("scales", TensorProto.FLOAT, [3]),
        *(helper.make_tensor_value_info(name, TensorProto.INT64, [1]) for name in more_inputs),
    ]
    if several:
        inputs.append(helper.make_tensor_value_info("sid", TensorProto.INT64, [1]))
    output = helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 1, 1, "time"])
    return helper.make_model(
        helper.make_graph(nodes, "hum", inputs, [output]), opset_imports=[helper.make_opsetid("", 15)], ir_version=8
    )


def _chain(value: str, *steps: tuple[str, ...], to: str) -> list[onnx.NodeProto]:
    """One operation after another, each on the result of the last and perhaps a second value."""
    nodes = []
    for number, (operation, *others) in enumerate(steps, 1):
        result = to if number == len(steps) else f"{to}_{number}"
        nodes.append(helper.make_node(operation, [value, *others], [result]))
        value = nodes[-1].output[0]
    return nodes


def load(folder: Path, **options: Any) -> OnnxEngine:
    """Load the voices of a folder."""
    loaded = find_engine("onnx")(EngineOptions(folder, **options))
    loaded.load()
    assert isinstance(loaded, OnnxEngine)
    return loaded
