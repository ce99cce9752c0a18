"""Plain functions on text: preparing and splitting it for synthesis, and masking it for the logs."""

from ttsworker.text.masking import mask
from ttsworker.text.normalise import normalise
from ttsworker.text.sentences import MAX_PIECE_LENGTH, split_sentences

__all__ = ["MAX_PIECE_LENGTH", "mask", "normalise", "split_sentences"]
