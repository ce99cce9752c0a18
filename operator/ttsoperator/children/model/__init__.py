"""The model: the claim that holds it and the Job that downloads it."""
