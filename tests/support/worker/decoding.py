"""Decodes what the worker sends, by ffmpeg as a player would and independently of what encoded it, and compares it."""

import io
import json
import subprocess
import wave
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]

MEDIA_TYPES = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg;codecs=opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm;rate=24000",
}

SLACK_SAMPLES = 3 * 1152
"""What a codec may add: it works in blocks, of 1152 samples at most, and starts before the first sample."""


@dataclass(frozen=True)
class Decoded:
    codec: str
    sample_rate: int
    channels: int
    samples: Samples
    """Of shape (time, channels)."""

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.sample_rate


def decode(data: bytes) -> Decoded:
    """Decode a file or the beginning of one; its format is told by its content alone."""
    show = ["-show_entries", "stream=codec_name,sample_rate,channels", "-of", "json"]
    [stream] = json.loads(_run(["ffprobe", "-v", "error", *show, "-i", "pipe:0"], data))["streams"]
    raw = _run(["ffmpeg", "-v", "error", "-i", "pipe:0", "-f", "s16le", "pipe:1"], data)
    samples = np.frombuffer(raw, "<i2").reshape(-1, stream["channels"])
    return Decoded(stream["codec_name"], int(stream["sample_rate"]), stream["channels"], samples)


def mono_wav(data: bytes) -> bytes:
    """Decode a file to a WAV file of its first channel, as the judge listens to."""
    decoded, file = decode(data), io.BytesIO()
    with wave.open(file, "wb") as audio:
        audio.setnchannels(1)
        audio.setsampwidth(2)
        audio.setframerate(decoded.sample_rate)
        audio.writeframes(decoded.samples[:, 0].tobytes())
    return file.getvalue()


def likeness(decoded: Samples, original: Samples) -> tuple[float, int]:
    """How well one sound is the other (1: the same but for its volume), and after how many samples it starts."""
    length = len(decoded) + len(original)
    one, other = decoded.astype(np.float64), original.astype(np.float64)
    product = np.fft.irfft(np.fft.rfft(one, length) * np.conj(np.fft.rfft(other, length)), length)
    delay = int(product.argmax())
    return float(product[delay] / np.sqrt((one**2).sum() * (other**2).sum())), delay


def assert_same_sound(decoded: Samples, original: Samples) -> None:
    """Compare two mono sounds of one sample rate."""
    similarity, delay = likeness(decoded, original)
    assert similarity > 0.97
    assert delay < SLACK_SAMPLES
    assert 0 <= len(decoded) - len(original) < SLACK_SAMPLES


def _run(command: list[str], data: bytes) -> bytes:
    done = subprocess.run(command, input=data, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def without_serial_numbers(ogg: bytes) -> bytes:
    """An Ogg file without what differs in every page of another stream: its number and the checksum over it."""
    pages = ogg.split(b"OggS")
    return b"OggS".join([pages[0], *(page[:10] + bytes(4) + page[14:18] + bytes(4) + page[22:] for page in pages[1:])])
