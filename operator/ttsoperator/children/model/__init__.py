"""The model: the claim that stores it and the Job that downloads it."""
