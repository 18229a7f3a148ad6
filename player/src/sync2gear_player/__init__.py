"""A headless sync2gear speaker: holds a socket to the server, plays its plan on time and hands in receipts."""

__version__ = "0.1.0"
SOFTWARE = f"sync2gear-player/{__version__}"
