"""Speech without network or account. Imports no Django.

`synthesise` runs in a process of its own; `voices` and `prepare` are cheap and run where they are called.
"""
