"""API keys, client addresses and rate limits: which clients may send requests, and how many."""
