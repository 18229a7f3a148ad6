lock:
	$(UV) pip compile pyproject.toml --universal --python-version 3.11
