"""Shares the engine among requests, sentence by sentence."""
