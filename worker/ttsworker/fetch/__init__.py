"""The download Job's program: download a model, verify it, publish it on the volume atomically.

`python -m ttsworker.fetch --source URL --sha256 HEX --root /models --key KEY`
"""
