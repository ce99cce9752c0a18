"""The embedded English voices (hibari-tts)."""
