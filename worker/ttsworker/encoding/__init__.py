"""Encode 16 bit samples as an audio format, piece by piece, while the engine still synthesizes.

libsndfile (LGPL, through soundfile) encodes MP3, Opus and FLAC in this process; ffmpeg, a separate program, encodes
AAC. PyAV could encode all of them, but its wheels link libx264 and libx265 (GPL) into the process that imports it. GPL
code may only run in a separate process.
"""

from ttsworker.encoding.choosing import AUDIO_FORMATS, AudioFormat, Encoding, bytes_per_second, encoder_for
from ttsworker.encoding.protocol import Encoder, EncodingFailed, UnsupportedEncoding, slices

__all__ = [
    "AUDIO_FORMATS",
    "AudioFormat",
    "Encoder",
    "Encoding",
    "EncodingFailed",
    "UnsupportedEncoding",
    "bytes_per_second",
    "encoder_for",
    "slices",
]
