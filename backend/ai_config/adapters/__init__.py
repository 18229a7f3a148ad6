"""The REST contracts of the providers: a request out, an answer or a `ProviderError` back. Imports no Django.

Each module cites the documentation that it follows. Keys travel in headers, never in an address, so that no log of
addresses holds one; nothing that a provider says of a key is repeated.
"""
