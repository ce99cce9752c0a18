"""A Coqui model's configuration from outside: which classes and files it may name."""

import json
from pathlib import Path
from typing import Any

import pytest

from ttsworker.engines import ModelInvalid
from ttsworker.engines.coqui.configuration import MAX_BYTES, read_config

CLASSES = [
    "evil.Class", "os.system", "builtins.eval", "Class", ".evil.Class", "..evil.Class", "TTS", "TTSevil.Class",
    "TTS..evil.Class", "TTS.tts..evil.Class", "TTS.bin.synthesize.main", "TTS.server.server.main", "TTS.tts.x-y.Class",
    "TTS.tts.evil.Class\n", "TTS.tts/../../evil.Class", "TTS.tts.évil.Class", " TTS.tts.models.vits.VitsCharacters",
    ["evil.Class"], {"x": "evil.Class"}, 7,
]  # fmt: skip


REMOTE = [
    "http://127.0.0.1/x.pth", "https://127.0.0.1/x.json", "HTTP://127.0.0.1/x.json", "s3://bucket/x.pth", "ftp://x/x.pth",
    "file:///etc/passwd", "memory://x.pth", "github://o:r@/x.pth", "data://x.json", "zip://x.pth::http://127.0.0.1/x.zip",
    "filecache::http://127.0.0.1/x.pth", "simplecache::x.json", "local://x.json", {"x": 1}, 7,
]  # fmt: skip


READ = [
    "speakers_file", "speaker_file", "d_vector_file", "language_ids_file", "speaker_encoder_model_path",
    "speaker_encoder_config_path", "stats_path",
]  # fmt: skip


def config(folder: Path, **options: Any) -> dict[str, Any]:
    (folder / "config.json").write_text(json.dumps({"model": "vits", **options}))
    return read_config(folder / "config.json")


@pytest.mark.parametrize("name", CLASSES, ids=str)
def test_only_coquis_own_classes_are_imported(tmp_path: Path, name: object) -> None:
    for options in ({"characters": {"characters_class": name}}, {"characters_class": name}):
        with pytest.raises(ModelInvalid, match=r"only classes of TTS\.tts") as error:
            config(tmp_path, **options)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "name", ["TTS.tts.models.vits.VitsCharacters", "TTS.tts.utils.text.characters.IPAPhonemes", "", None]
)
def test_coquis_own_classes_stay(tmp_path: Path, name: object) -> None:
    characters = {"characters_class": name}
    assert config(tmp_path, characters=characters)["characters"] == characters


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize("place", ["top", "model_args", "audio"])
@pytest.mark.parametrize("value", REMOTE, ids=str)
def test_a_file_of_another_machine_is_refused(tmp_path: Path, name: str, place: str, value: object) -> None:
    for listed in (value, [value], ["x.pth", value]):
        options = {name: listed} if place == "top" else {place: {name: listed}}
        with pytest.raises(ModelInvalid, match=f"as {name}: it must be a file of the model's folder"):
            config(tmp_path, **options)


@pytest.mark.parametrize("value", ["/etc/passwd", "../secret.pth", "/", "..", "a/../..", "C:\\secret.pth", "no.pth"])
def test_a_file_that_is_used_must_be_in_the_folder(tmp_path: Path, value: str) -> None:
    (tmp_path / "secret.pth").write_text("secret")
    (folder := tmp_path / "model").mkdir()
    for name, switch in (
        ("speakers_file", "use_speaker_embedding"),
        ("d_vector_file", "use_d_vector_file"),
        ("language_ids_file", "use_language_embedding"),
    ):
        with pytest.raises(ModelInvalid, match=f"for {name}, which is not in"):
            config(folder, model_args={name: value, switch: True})
        assert config(folder, model_args={name: value})["model_args"] == {name: None}  # Coqui does not open it


def test_files_of_the_folder_are_found_by_their_names_and_other_paths_are_left_out(tmp_path: Path) -> None:
    for name in ("speakers.pth", "one.json", "two.json"):
        (tmp_path / name).touch()
    found = config(
        tmp_path,
        output_path="/home/me/out",
        phoneme_cache_path="/tmp/cache",
        logger_uri="s3://bucket/log",
        restore_path="http://example.org/x.pth",
        test_sentences_file="/x",
        datasets=[{"path": "/data", "meta_file_train": ["/data/x"], "language": "en"}],
        speakers_file="/train/speakers.pth",
        d_vector_file=["/a/one.json", "b\\two.json"],
        use_d_vector_file=True,
        audio={"stats_path": "/x/scale_stats.npy", "sample_rate": 22050},
        model_args={"speaker_encoder_model_path": "/x/se.pth", "use_speaker_encoder_as_loss": True, "num_chars": 9},
        base_model="xtts",
    )
    assert found == {
        "model": "vits",
        "datasets": [{"language": "en"}],
        "speakers_file": str(tmp_path / "speakers.pth"),
        "d_vector_file": [str(tmp_path / "one.json"), str(tmp_path / "two.json")],
        "use_d_vector_file": True,
        "audio": {"sample_rate": 22050},
        "model_args": {"num_chars": 9},
    }


def test_comments_of_old_configurations_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"a": "http://x // y", // one\n /* two\n * three **/ "b": "/* \\" */"}')
    assert read_config(path) == {"a": "http://x // y", "b": '/* " */'}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{" * 200_000, "is not JSON"),
        (b"[" * 200_000, "is not JSON"),
        (b'{"a":' * 200_000, "is not JSON"),
        (b"[]", "is not a JSON object"),
        (b"\xff", "is not JSON"),
        (b"/*" * 200_000, "is not JSON"),
        (b'"\\"' * 200_000, "is not JSON"),
        (b" " * (MAX_BYTES + 1), "has more than"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_configuration_that_is_none_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(ModelInvalid, match=message):
        read_config(tmp_path / "config.json")
