"""Thousands of devices at one server: the lean client that ours and the baselines share, and the servers themselves."""
