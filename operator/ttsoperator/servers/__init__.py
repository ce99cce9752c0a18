"""What the operator serves: probes, its own metrics, and the custom metrics API."""
