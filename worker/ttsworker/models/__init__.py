"""Models: on the volume, in memory, warmed up, healthy, and replaced by another one when they fail."""
