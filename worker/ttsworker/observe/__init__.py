"""What the worker tells about itself: logs, metrics, traces, and the figures of its GPU."""
