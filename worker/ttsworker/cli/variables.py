"""The settings as `ttsworker serve --help` lists them."""

from ttscontract.pods import CONFIG_VARIABLE, VARIABLE_PREFIX
from ttscontract.worker_config import WRITTEN
from ttsworker.settings import Settings


def variables() -> list[tuple[str, str]]:
    """Return the name of every variable, and its meaning with its default."""
    units = {row.name: row.unit for row in WRITTEN}
    lines = [(CONFIG_VARIABLE, "A JSON file with settings by their names: port, host, ...")]
    for name, field in Settings.model_fields.items():
        default = "" if field.default in (None, []) else f" [{field.default} {units.get(name, '')}".rstrip() + "]"
        lines.append((VARIABLE_PREFIX + name.upper(), f"{field.description or ''}{default}".strip()))
    return lines
