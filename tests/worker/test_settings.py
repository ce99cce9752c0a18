import json
import os
import re
import traceback
from pathlib import Path
from typing import get_args

import pytest
from pydantic import SecretStr

from ttsworker.settings import InvalidSettings, Settings, load_settings


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "worker.json"
    monkeypatch.setenv("TTSWORKER_CONFIG", str(path))
    return path


def test_the_defaults_need_nothing() -> None:
    settings = load_settings({})
    assert (settings.engine, settings.model_dir, settings.port, settings.metrics_port) == ("hibari", None, 5002, 9090)
    assert (settings.max_concurrency, settings.max_queue_length, settings.max_text_length) == (8, 64, 4096)


def test_the_environment_wins_over_the_file(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config.write_text('{"max_concurrency": 3, "max_queue_length": 5, "model_dir": null, "text_logging": "None"}')
    monkeypatch.setenv("TTSWORKER_MAX_CONCURRENCY", "2")
    settings = load_settings(os.environ)
    assert (settings.max_concurrency, settings.max_queue_length, settings.text_logging) == (2, 5, "None")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"max_concurency": 3}', "max_concurency is not a setting .* the settings are .*max_concurrency"),
        ('{"max_concurrency": 0}', "max_concurrency .* is 0: .* greater than or equal to 1"),
        ('{"precision": "Int4"}', "precision .* is 'Int4': Input should be 'Auto'"),
        ('{"port": "http"}', "port .* is 'http': Input should be a valid integer"),
        ("{", "worker.json is not JSON: Expecting"),
        ("[]", "worker.json is not a JSON object but a list"),
        ("", "worker.json is not JSON: Expecting"),
    ],
)
def test_a_wrong_file_is_told_in_one_line(config: Path, content: str, message: str) -> None:
    config.write_text(content)
    with pytest.raises(InvalidSettings, match=message) as error:
        load_settings(os.environ)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_is_told(config: Path) -> None:
    with pytest.raises(InvalidSettings, match=re.escape(f"names {config}, which cannot be read: No such file")):
        load_settings(os.environ)


def test_an_images_own_file_counts_where_no_other_is_named(tmp_path: Path) -> None:
    image, ours = tmp_path / "image.json", tmp_path / "ours.json"
    assert load_settings({}, image_config=image).model_dir is None
    image.write_text('{"engine": "coqui", "model_dir": "/opt/ttsworker/models/vits"}')
    ours.write_text("{}")
    settings = load_settings({}, image_config=image)
    assert (settings.engine, settings.model_dir) == ("coqui", Path("/opt/ttsworker/models/vits"))
    assert load_settings({}, image_config=image, options={"engine": "hibari"}).engine == "hibari"
    assert load_settings({"TTSWORKER_CONFIG": str(ours)}, image_config=image).model_dir is None


def test_a_misspelt_variable_is_told() -> None:
    with pytest.raises(
        InvalidSettings, match=r"TTSWORKER_THREAD is not a setting; the settings are .*TTSWORKER_THREADS"
    ):
        load_settings({"TTSWORKER_THREAD": "2"})


def test_a_wrong_variable_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTSWORKER_PORT", "tcp://10.0.0.1:5002")
    with pytest.raises(InvalidSettings, match=r"port \(from TTSWORKER_PORT\) is 'tcp://10"):
        load_settings(os.environ)


def test_a_variable_of_a_map_is_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTSWORKER_VOICE_ALIASES", '{"narrator": "heart"}')
    assert load_settings(os.environ).voice_aliases == {"narrator": "heart"}
    monkeypatch.setenv("TTSWORKER_VOICE_ALIASES", "narrator=heart")
    with pytest.raises(InvalidSettings, match=r'"voice_aliases" .*: write it as JSON'):
        load_settings(os.environ)


@pytest.mark.parametrize(
    "aliases",
    [{"": "heart"}, {"narrator": ""}, {"x" * 65: "heart"}, {"narrator": "x" * 257}, {str(n): "x" for n in range(65)}],
)
def test_aliases_are_bounded(config: Path, aliases: dict[str, str]) -> None:
    config.write_text(json.dumps({"voice_aliases": aliases}))
    with pytest.raises(InvalidSettings, match="voice_aliases"):
        load_settings(os.environ)


@pytest.mark.parametrize("wrong", [["redis://:hunter2@host"], {"url": "hunter2"}, 8675309, True, ["hunter2"]], ids=str)
def test_a_secret_setting_is_never_shown(config: Path, wrong: object) -> None:
    config.write_text(json.dumps({"redis_url": wrong}))
    with pytest.raises(InvalidSettings, match=r"redis_url \(from .*\) is not valid: Input should be a valid") as error:
        load_settings(os.environ)
    assert repr(wrong) not in str(error.value)
    assert all("hunter2" not in text for text in everything_told(error.value))


def test_every_setting_that_may_hold_a_secret_is_a_secret() -> None:
    words = re.compile("password|secret|token|redis_url|credential")
    shown = [name for name, field in Settings.model_fields.items() if SecretStr not in get_args(field.annotation)]
    assert [name for name in shown if words.search(name)] == []


@pytest.mark.parametrize("url", ["redis://:hunter2@host:6379/0", "http://user:hunter2@host"])
def test_a_password_in_the_wrong_setting_is_not_shown(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("TTSWORKER_PORT", url)
    with pytest.raises(InvalidSettings, match=r"TTSWORKER_PORT\) is '\w+://\*\*\*@host") as error:
        load_settings(os.environ)
    assert all("hunter2" not in text for text in everything_told(error.value))


def everything_told(error: BaseException) -> list[str]:
    """Return what a traceback of an error would show."""
    return traceback.format_exception(error)


def test_networks_of_proxies_come_from_the_file_and_from_the_environment(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text('{"trusted_proxies": ["10.0.0.0/8", "fd00::/8"]}')
    assert load_settings(os.environ).trusted_proxies == ["10.0.0.0/8", "fd00::/8"]
    monkeypatch.setenv("TTSWORKER_TRUSTED_PROXIES", "192.0.2.1, 2001:db8::/32,")
    assert load_settings(os.environ).trusted_proxies == ["192.0.2.1", "2001:db8::/32"]


@pytest.mark.parametrize("wrong", ["10.0.0.0/33", "10.0.0.1/8", "proxy", "10.0.0.0/8;10.1.0.0/16"])
def test_a_wrong_network_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv("TTSWORKER_TRUSTED_PROXIES", f"127.0.0.1,{wrong}")
    with pytest.raises(InvalidSettings, match=f"TTSWORKER_TRUSTED_PROXIES.*{wrong}' is not a network") as error:
        load_settings(os.environ)
    assert "\n" not in str(error.value)


def test_every_setting_is_documented() -> None:
    documented = Path("docs/running-the-worker.md").read_text()
    assert [name for name in Settings.model_fields if f"| `{name}` |" not in documented] == []


def test_what_the_operator_writes_is_accepted(config: Path) -> None:
    config.write_text(
        json.dumps(
            {
                "model_name": "english",
                "model_dir": "/models/m-0123456789abcdef",
                "engine": "coqui",
                "precision": "Auto",
                "max_concurrency": 8,
                "max_queue_length": 64,
                "max_text_length": 4096,
                "request_timeout_seconds": 60,
                "drain_timeout_seconds": 30,
                "text_logging": "Masked",
                "threads": 0,
                "host": "0.0.0.0",
                "port": 5002,
                "metrics_port": 9090,
            }
        )
    )
    assert load_settings(os.environ).model_dir == Path("/models/m-0123456789abcdef")
