"""Makes a tiny VITS voice of random weights that Coqui's real code loads: `python tiny_vits.py FOLDER`.

It speaks noise, not words; what it is good for is to compare two ways of running the same model.
"""

import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from TTS.config.shared_configs import BaseAudioConfig
from TTS.tts.configs.shared_configs import CharactersConfig
from TTS.tts.configs.vits_config import VitsArgs, VitsConfig
from TTS.tts.models import setup_model

SAMPLE_RATE = 22_050
HOP_LENGTH = 256
FRAMES_PER_TOKEN = 3
SHARPNESS = 3.0


TINY: Mapping[str, Any] = {
    "hidden_channels": 16,
    "hidden_channels_ffn_text_encoder": 32,
    "num_heads_text_encoder": 2,
    "num_layers_text_encoder": 1,
    "num_layers_posterior_encoder": 1,
    "num_layers_flow": 1,
    "upsample_initial_channel_decoder": 32,
    "resblock_kernel_sizes_decoder": [3],
    "resblock_dilation_sizes_decoder": [[1, 3, 5]],
}
"""Sizes of the layers; those left out are Coqui's own."""


def config(speakers: int = 1, languages: Sequence[str] = (), sizes: Mapping[str, Any] = TINY) -> VitsConfig:
    arguments = VitsArgs(
        **sizes,
        out_channels=513,
        upsample_rates_decoder=[8, 8, 2, 2],
        upsample_kernel_sizes_decoder=[16, 16, 4, 4],
        init_discriminator=False,
        use_speaker_embedding=speakers > 1,
        speaker_embedding_channels=8,
        use_language_embedding=len(languages) > 1,
        embedded_language_dim=4,
    )
    return VitsConfig(
        model_args=arguments,
        audio=BaseAudioConfig(
            sample_rate=SAMPLE_RATE, hop_length=HOP_LENGTH, win_length=1024, fft_size=1024, do_trim_silence=False
        ),
        text_cleaner="basic_cleaners",
        use_phonemes=False,
        characters=CharactersConfig(
            characters_class="TTS.tts.models.vits.VitsCharacters",
            pad="_",
            eos="",
            bos="",
            blank="<BLNK>",
            characters="abcdefghijklmnopqrstuvwxyz",
            punctuations="!'(),-.:;? ",
            phonemes="",
        ),
        use_speaker_embedding=speakers > 1,
        languages=list(languages),
    )


def write(
    folder: Path,
    speakers: tuple[str, ...] = (),
    languages: tuple[str, ...] = (),
    seed: int = 0,
    sizes: Mapping[str, Any] = TINY,
) -> None:
    """Write config.json and model_file.pth, and speakers.pth where there are several."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = config(max(1, len(speakers)), languages, sizes)
    if speakers:
        path = folder / "speakers.pth"
        torch.save({name: number for number, name in enumerate(speakers)}, path)
        settings.speakers_file = settings.model_args.speakers_file = str(path)
    torch.manual_seed(seed)
    model = setup_model(settings)
    tame_durations(model.duration_predictor)
    make_audible(model)
    torch.save({"model": model.state_dict()}, folder / "model_file.pth")
    if speakers:
        # As in a published model: a path of the machine it was trained on.
        settings.speakers_file = settings.model_args.speakers_file = "/train/here/speakers.pth"
    settings.save_json(str(folder / "config.json"))


def tame_durations(predictor: torch.nn.Module) -> None:
    """Let every token last about FRAMES_PER_TOKEN frames; random splines would give hours or nothing."""
    with torch.no_grad():
        for name, parameter in predictor.named_parameters():
            if ".proj." in name and "flows" in name:
                parameter.zero_()
        affine = predictor.flows[0]
        # Backwards it is (noise - translation) * exp(-log_scale): nearly the same logarithm for every token.
        affine.log_scale.fill_(SHARPNESS)
        affine.translation.fill_(-math.log(FRAMES_PER_TOKEN - 0.5) * math.exp(SHARPNESS))


def make_audible(model: torch.nn.Module) -> None:
    """Turn the random decoder up: its output would be below what a health check takes for silence."""
    with torch.no_grad():
        model.waveform_decoder.conv_post.weight.mul_(20.0)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
