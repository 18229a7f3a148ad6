"""Audio files as they really are: facts, loudness, encoding and generated sound. Imports no Django.

What touches a file from outside is run through `common.audio.isolated`, in a process of its own.
"""
