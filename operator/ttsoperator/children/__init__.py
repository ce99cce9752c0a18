"""The children of a TTSService: each has a row in `registry` and a pure builder in the folder of its component."""
