"""One request for speech, from its text to the bytes of its audio."""
