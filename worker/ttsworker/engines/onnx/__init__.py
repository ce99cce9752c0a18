"""Voices in ONNX, run by ONNX Runtime on the CPU: Piper's."""
