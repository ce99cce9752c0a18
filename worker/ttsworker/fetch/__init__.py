"""The download Job's program: fetch a model from its source, check it, publish it on the volume in one step.

`python -m ttsworker.fetch --source URL --sha256 HEX --root /models --key KEY`
"""
