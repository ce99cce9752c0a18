"""Names the sentence that a recording speaks, so that a test can tell speech of the right words from any other sound.

The recogniser is pocketsphinx, whose acoustic model and dictionary come in its package. It is given a grammar of twenty
known sentences: the answer is one of them, word for word, or None for anything else.
"""

import functools
import io
import math
import wave
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pocketsphinx
import soxr

RATE = 16_000
"""Samples per second that the acoustic model was trained on."""

SHORTEST = 0.1
"""Seconds that the shortest of words takes; less is not listened to."""

# Every word is in pocketsphinx's dictionary, and no sentence is another's beginning.
SENTENCES: Sequence[str] = (
    "hello from the cluster",
    "the train to the city leaves at seven in the morning",
    "please leave your message after the tone",
    "a cold wind blew across the open field",
    "she bought three apples and a loaf of bread",
    "the library closes early on friday evening",
    "turn left at the second traffic light",
    "my brother plays the piano every night",
    "there is no place like home",
    "the water in the lake is very clear today",
    "can you help me carry these boxes upstairs",
    "we watched the ships come into the harbor",
    "an old dog sleeps beside the kitchen door",
    "the doctor will see you in twenty minutes",
    "nobody knows what tomorrow will bring",
    "the children built a castle out of sand",
    "keep your ticket until the end of the journey",
    "birds were singing in the garden at dawn",
    "he wrote a long letter to his mother",
    "coffee tastes better with a little sugar",
)


# How much worse than a free sequence of phones the sentence may fit the sound, in the recogniser's log units a frame.
# The embedded voice stays above -8 even in noise; another sentence that the grammar was forced upon falls below -20.
WORST_FIT = -12.0


@functools.cache
def _decoder() -> pocketsphinx.Decoder:
    decoder = pocketsphinx.Decoder(samprate=RATE, lm=None, loglevel="FATAL")
    unknown = sorted({word for sentence in SENTENCES for word in sentence.split() if not decoder.lookup_word(word)})
    if unknown:
        raise ValueError(f"not in the recogniser's dictionary: {', '.join(unknown)}")
    choices = " | ".join(SENTENCES)
    decoder.add_jsgf_string("sentences", f"#JSGF V1.0;\ngrammar sentences;\npublic <sentence> = {choices};\n")
    decoder.add_allphone_file("phones", None)
    return decoder


def recognise(wav: bytes) -> str | None:
    """The one of SENTENCES that this 16-bit mono WAV file speaks, or None where it speaks none of them.

    Words that sound alike (twenty, thirty) are not told apart; other sentences, noise and silence are.
    """
    samples = _at_16_khz(wav)
    if len(samples) < SHORTEST * RATE:  # the recogniser cannot even end an utterance without a frame
        return None
    sentence, score = _decode("sentences", samples)
    # A grammar that was left before its end still yields the words so far: only a whole sentence counts.
    if sentence not in SENTENCES:
        return None
    # A grammar answers with its nearest sentence, however far that is: any phones at all must not fit much better.
    _, free_score = _decode("phones", samples)
    return sentence if score - free_score > WORST_FIT else None


def _decode(search: str, samples: npt.NDArray[np.int16]) -> tuple[str, float]:
    """What this search hears and its score a frame; nothing scores minus infinity."""
    decoder = _decoder()
    decoder.activate_search(search)
    decoder.start_utt()
    decoder.process_raw(samples.tobytes(), full_utt=True)
    decoder.end_utt()
    heard = decoder.hyp()
    if heard is None:
        return "", -math.inf
    return heard.hypstr, decoder.get_logmath().log(heard.best_score) / decoder.n_frames()


def _at_16_khz(wav: bytes) -> npt.NDArray[np.int16]:
    with wave.open(io.BytesIO(wav)) as recording:
        if (recording.getnchannels(), recording.getsampwidth()) != (1, 2):
            raise ValueError("the judge listens to 16-bit mono only")
        samples = np.frombuffer(recording.readframes(recording.getnframes()), dtype="<i2")
        resampled: npt.NDArray[np.int16] = soxr.resample(samples, recording.getframerate(), RATE)
        return resampled
