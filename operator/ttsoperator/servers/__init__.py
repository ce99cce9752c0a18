"""The operator's servers: probes, its own metrics, and the custom metrics API."""
