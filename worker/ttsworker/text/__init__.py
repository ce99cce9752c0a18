"""Pure functions that prepare and split text for synthesis."""

from ttsworker.text.normalise import normalise
from ttsworker.text.sentences import MAX_PIECE_LENGTH, split_sentences

__all__ = ["MAX_PIECE_LENGTH", "normalise", "split_sentences"]
