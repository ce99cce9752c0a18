"""Download a model, verify it, and publish it atomically: for the download Job, and for `ttsworker fetch`.

`python -m ttsworker.fetch --source URL --sha256 HEX --root /models --key KEY`
"""
