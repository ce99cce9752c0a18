"""Kubernetes: API objects as plain data, and the operator's only client."""
