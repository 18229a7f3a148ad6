"""The rules of the test run hold here too (`backend/testing/plugin.py`)."""

pytest_plugins = ["testing.plugin", "testing.emptying"]
