"""The rules of every test run: see `backend/testing/plugin.py`."""

pytest_plugins = ["testing.plugin"]
