"""What the worker reports about itself: logs, metrics, traces, and the figures of its GPU."""
