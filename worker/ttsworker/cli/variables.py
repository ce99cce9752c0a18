"""The settings as `ttsworker serve --help` lists them."""

from ttscontract.model_folder import IMAGE_CONFIG
from ttscontract.pods import CONFIG_VARIABLE, VARIABLE_PREFIX
from ttscontract.worker_config import WRITTEN
from ttsworker.settings import Settings


def variables() -> list[tuple[str, str]]:
    """Return the name of every variable, and its meaning with its default."""
    units = {row.name: row.unit for row in WRITTEN}
    default = f"{IMAGE_CONFIG}, if it exists"
    lines = [(CONFIG_VARIABLE, f"A JSON file with settings by their names: port, host, ... [{default}]")]
    for name, field in Settings.model_fields.items():
        default = "" if field.default in (None, []) else f" [{field.default} {units.get(name, '')}".rstrip() + "]"
        lines.append((VARIABLE_PREFIX + name.upper(), f"{field.description or ''}{default}".strip()))
    return lines
