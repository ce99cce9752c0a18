"""The worker of tts-operator: a text-to-speech server, and the program that downloads its model."""
