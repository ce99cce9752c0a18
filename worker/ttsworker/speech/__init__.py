"""One request for speech, from the text that is asked for to the bytes of its audio."""
