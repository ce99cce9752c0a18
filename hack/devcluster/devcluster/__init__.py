"""Builds, starts and supervises a one-node Kubernetes in namespaces of its own."""
