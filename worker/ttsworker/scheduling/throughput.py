"""How fast this worker speaks, measured while it does. Estimates of waiting time come from it."""

_SMOOTHING = 0.1

SECONDS_PER_CHARACTER = 1 / 15
"""Of read English, until something has been measured."""


class Throughput:
    """Smoothed rates. The engine's threads write them; any thread reads them."""

    def __init__(self, real_time_factor: float = 1.0) -> None:
        self._seconds_per_character = SECONDS_PER_CHARACTER
        self._real_time_factor = real_time_factor

    def observe(self, characters: int, audio_seconds: float, work_seconds: float) -> None:
        """Learn from one call of the engine."""
        if characters and audio_seconds > 0:
            self._seconds_per_character += _SMOOTHING * (audio_seconds / characters - self._seconds_per_character)
            self._real_time_factor += _SMOOTHING * (work_seconds / audio_seconds - self._real_time_factor)

    def audio_seconds(self, characters: float) -> float:
        """Estimate the audio of a text."""
        return characters * self._seconds_per_character

    def work_seconds(self, audio_seconds: float, parallelism: int) -> float:
        """Estimate how long the engine needs for this much audio when it speaks `parallelism` sentences at once."""
        return audio_seconds * self._real_time_factor / parallelism
