"""The operator's view of the cluster: watches and lists fill a cache and add services to a work queue."""
