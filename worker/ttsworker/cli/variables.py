"""The settings as `ttsworker serve --help` lists them."""

from ttsworker.settings import CONFIG_VARIABLE, PREFIX, Settings


def variables() -> list[tuple[str, str]]:
    """Return every variable and what it is for, with its default."""
    lines = [(CONFIG_VARIABLE, "A JSON file with settings by their names: port, host, ...")]
    for name, field in Settings.model_fields.items():
        default = "" if field.default in (None, []) else f" [{field.default}]"
        lines.append((PREFIX + name.upper(), f"{field.description or ''}{default}".strip()))
    return lines
