"""The rules of webhooks: which targets, which signatures, which retries, which events. Pure."""
