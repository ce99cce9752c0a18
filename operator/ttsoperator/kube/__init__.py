"""Kubernetes: its objects as plain data, and the only client."""
