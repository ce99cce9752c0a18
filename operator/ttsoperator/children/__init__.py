"""The children of a TTSService: a row each in `registry`, and a pure builder module in the folder of its component."""
