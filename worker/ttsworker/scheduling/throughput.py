"""How fast this worker speaks, measured while it does. Estimates of waiting time come from it."""

_SMOOTHING = 0.1

CORRECTION = (0.5, 8.0)
"""Between these lies the audio of a voice, divided by the engine's estimate, whatever was seen: so no client can teach
a worker to expect next to nothing. A slow voice, or a script of few characters, needs several times the estimate."""


class Throughput:
    """Smoothed rates. The engine's threads write them; any thread reads them."""

    def __init__(self, real_time_factor: float = 1.0) -> None:
        self._correction = 1.0
        self._real_time_factor = real_time_factor

    def observe(self, estimated_seconds: float, audio_seconds: float, work_seconds: float) -> None:
        """Learn from one call of the engine, whose estimate of its audio this was."""
        if estimated_seconds > 0 and audio_seconds > 0:
            least, most = CORRECTION
            correction = min(most, max(least, audio_seconds / estimated_seconds))
            self._correction += _SMOOTHING * (correction - self._correction)
            self._real_time_factor += _SMOOTHING * (work_seconds / audio_seconds - self._real_time_factor)

    def audio_seconds(self, estimated_seconds: float) -> float:
        """Correct the engine's estimate by what it has been seen to make."""
        return estimated_seconds * self._correction

    def work_seconds(self, audio_seconds: float, parallelism: int) -> float:
        """Estimate how long the engine needs for this much audio when it speaks `parallelism` sentences at once."""
        return audio_seconds * self._real_time_factor / parallelism
