"""Who may send requests, and how many: API keys, client addresses and rate limits."""
