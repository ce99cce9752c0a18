"""Who may ask, and how often: clients' keys, their addresses and the rate limit."""
