"""The real tts-server, on loopback and seeded: `python seeded_tts_server.py --model_path ... --config_path ...`.

Its module, its routes and its model code run as they are. Two things around them differ from `tts-server`: it listens
on 127.0.0.1 instead of every address, on a free port that a line of its output tells; and torch's random numbers start
anew with each sentence, as they do in our engine, so that the samples can be compared.
"""

import torch
from TTS.server import server  # parses the command line and loads the model
from werkzeug.serving import make_server

SEED = 0
"""The default of ttsworker.speech.request.Utterance."""


def seed(*_: object) -> None:
    torch.manual_seed(SEED)


# The text encoder is the first thing that speaking a sentence runs, and draws no random number itself.
server.api.synthesizer.tts_model.text_encoder.register_forward_pre_hook(seed)
http = make_server("127.0.0.1", 0, server.app, threaded=True)
print(f"listening on {http.server_port}", flush=True)  # noqa: T201 - read by the test
http.serve_forever()
