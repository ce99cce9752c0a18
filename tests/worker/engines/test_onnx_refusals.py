"""Voices that the ONNX engine refuses, each with what to do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest

from tests.support.worker import tiny_piper
from tests.support.worker.tiny_piper import load
from ttsworker.engines import EngineOptions, EngineUnavailable, ModelInvalid
from ttsworker.engines.onnx.engine import OnnxEngine
from ttsworker.engines.onnx.voice_file import MAX_BYTES


def corrupt(path: Path) -> None:
    path.write_bytes(b"not a model")


def without_json(path: Path) -> None:
    path.with_name(f"{path.name}.json").unlink()


def no_json(path: Path) -> None:
    path.with_name(f"{path.name}.json").write_text("{")


def external(path: Path) -> None:
    model = onnx.load(path)
    tensor = model.graph.initializer.add(name="weight", dims=[1], data_type=1, data_location=1)
    tensor.external_data.add(key="location", value="/etc/passwd")
    path.write_bytes(model.SerializeToString())


def nested(path: Path) -> None:
    model = onnx.load(path)
    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    inner = onnx.helper.make_graph([onnx.helper.make_node("RandomNormal", [], ["x"], shape=[1])], "inner", [], [value])
    model.graph.node.append(onnx.helper.make_node("If", ["input"], ["y"], then_branch=inner, else_branch=inner))
    path.write_bytes(model.SerializeToString())


def huge(path: Path) -> None:
    path.with_name(f"{path.name}.json").write_bytes(b" " * (MAX_BYTES + 1))


@pytest.mark.parametrize(
    ("changes", "damage", "message"),
    [
        ({}, without_json, "tiny.onnx.json is not beside tiny.onnx: a Piper voice is these two files"),
        ({}, no_json, "tiny.onnx.json is not a Piper voice's: Invalid JSON"),
        ({}, corrupt, "tiny.onnx is not an ONNX model"),
        ({}, huge, "tiny.onnx.json has more than 4194304 bytes"),
        ({}, nested, "with RandomNormal inside a condition or a loop"),
        ({}, external, "keeps data in other files"),
        ({"more_inputs": ["langid"]}, None, "its inputs are input, input_lengths, langid, scales instead of"),
        ({"num_speakers": 2}, None, "its inputs are input, input_lengths, scales instead of .*, sid"),
        ({"random": "RandomUniformLike"}, None, "with RandomUniformLike, which cannot be seeded"),
        ({"phoneme_id_map": {"a": [1]}}, None, r"phoneme_id_map has no _ \^ \$"),
        ({"num_symbols": 20}, None, "but num_symbols is 20"),
        ({"speaker_id_map": {"x": 7}}, None, "speaker_id_map has the id 7, but num_speakers is 1"),
        ({"audio": {}}, None, "audio.sample_rate: Field required"),
        ({"inference": {"length_scale": 0}}, None, "inference.length_scale"),
        ({"phoneme_type": "pinyin"}, None, "phoneme_type: Input should be 'espeak' or 'text'"),
        (
            {"espeak": {"voice": "xx"}},
            None,
            "espeak-ng cannot read texts with the voice 'xx' of the model: .*not exist",
        ),
        ({"espeak": {"voice": "--help"}}, None, "no voice of espeak-ng"),
        ({"espeak": {"voice": "../../etc/passwd"}}, None, "no voice of espeak-ng"),
    ],
)
def test_what_is_no_piper_voice_is_refused(
    tmp_path: Path, changes: dict[str, Any], damage: Callable[[Path], None] | None, message: str
) -> None:
    path = tiny_piper.write(tmp_path, **changes)
    if damage:
        damage(path)
    with pytest.raises(ModelInvalid, match=message) as error:
        load(tmp_path)
    assert "\n" not in str(error.value)


def test_without_espeak_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_piper.write(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineUnavailable, match=r"espeak-ng, which does not start \(No such file.*install it and put"):
        load(tmp_path)


def test_an_espeak_that_dies_while_the_voice_loads_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_piper.write(tmp_path)
    program = tmp_path / "espeak-ng"
    program.write_text("#!/bin/sh\nread -r line; read -r line || exit 0; kill -9 $$\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ModelInvalid, match=r"cannot be used with this espeak-ng: .* it ended with -9"):
        load(tmp_path)


def test_a_folder_without_a_voice_is_told_from_one_with_voices_below(tmp_path: Path) -> None:
    with pytest.raises(ModelInvalid, match=r"has no voice of the engine onnx$"):
        load(tmp_path)
    tiny_piper.write(tmp_path / "alba")
    with pytest.raises(ModelInvalid, match=f"the first one below it is in {tmp_path}/alba$"):
        load(tmp_path)


def test_folders_and_hidden_files_are_no_voices(tmp_path: Path) -> None:
    tiny_piper.write(tmp_path)
    (tmp_path / "folder.onnx").mkdir()
    (tmp_path / "._tiny.onnx").write_bytes(b"of macOS")
    assert [voice.name for voice in load(tmp_path).voices] == ["tiny"]


def test_precisions_other_than_the_files_are_refused(tmp_path: Path) -> None:
    for precision in ("Float16", "BFloat16"):
        with pytest.raises(ModelInvalid, match="set it to Auto"):
            OnnxEngine(EngineOptions(tmp_path, precision=precision))  # type: ignore[arg-type]
    with pytest.raises(ModelInvalid, match="set model_dir"):
        OnnxEngine(EngineOptions())
