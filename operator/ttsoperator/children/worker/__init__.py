"""The workers: what runs them and what is in front of them."""
