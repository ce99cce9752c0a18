"""The workers: their Deployment, its settings and scaling, and the Service in front of them."""
