"""Models of Coqui's library, on torch."""
