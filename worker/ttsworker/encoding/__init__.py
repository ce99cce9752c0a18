"""From 16 bit samples to the bytes of a sound format, piece by piece, while the sound is still being made.

MP3, Opus and FLAC are made by libsndfile (LGPL, through soundfile) in this process, AAC by ffmpeg, a separate program.
PyAV would make all of them, but its wheels link libx264 and libx265 (GPL) into the process that imports it; what is GPL
may only run beside us.
"""

from ttsworker.encoding.choosing import AUDIO_FORMATS, AudioFormat, Encoding, encoder_for
from ttsworker.encoding.protocol import Encoder, EncodingFailed, UnsupportedEncoding, slices

__all__ = [
    "AUDIO_FORMATS",
    "AudioFormat",
    "Encoder",
    "Encoding",
    "EncodingFailed",
    "UnsupportedEncoding",
    "encoder_for",
    "slices",
]
