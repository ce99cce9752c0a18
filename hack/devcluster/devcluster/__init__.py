"""Builds, starts and supervises a one-node Kubernetes in its own Linux namespaces."""
