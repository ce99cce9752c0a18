"""How the number of workers follows the load."""
