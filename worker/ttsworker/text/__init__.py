"""Pure functions that prepare and split text for synthesis."""

from ttsworker.text.sentences import MAX_PIECE_LENGTH, split_sentences
from ttsworker.text.spoken import spoken_form

__all__ = ["MAX_PIECE_LENGTH", "split_sentences", "spoken_form"]
