"""What the operator knows of the cluster: watches and lists fill a store, and wake a queue of services."""
