"""The HTTP surface: the server, its routes, who may ask, and how errors are answered."""
