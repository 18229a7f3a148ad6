"""The embedded footprint: everything in one process, ready from the first start. `manage.py serve` runs it."""
