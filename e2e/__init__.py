"""End to end in a real Chromium: the pages as people use them, before real servers (`make e2e`)."""
