"""Pure functions that prepare and split text for synthesis."""

from ttsworker.text.cutting import cut
from ttsworker.text.heard import heard, is_heard, is_plain, kinds
from ttsworker.text.normalise import emoji_of
from ttsworker.text.sentences import MAX_PIECE_LENGTH, split_sentences
from ttsworker.text.spoken import spoken_form

__all__ = [
    "MAX_PIECE_LENGTH",
    "cut",
    "emoji_of",
    "heard",
    "is_heard",
    "is_plain",
    "kinds",
    "split_sentences",
    "spoken_form",
]
