"""What the operator and the worker must agree on: facts only, without dependencies, imported by both."""
