"""From 16 bit samples to the bytes of a sound format, piece by piece, while the sound is still being made.

MP3, Opus and FLAC are made by libsndfile (LGPL, through soundfile) in this process, AAC by ffmpeg, a separate program.
PyAV would make all of them, but its wheels link libx264 and libx265 (GPL) into the process that imports it; what is GPL
may only run beside us.
"""

from ttsworker.encoding.choosing import Encoding, encoder_for, encoding_of
from ttsworker.encoding.protocol import Encoder, EncodingFailed, slices

__all__ = ["Encoder", "Encoding", "EncodingFailed", "encoder_for", "encoding_of", "slices"]
