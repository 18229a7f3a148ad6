"""Anthropic: copy.

https://docs.anthropic.com/en/api/messages: POST /v1/messages, key in `x-api-key`, version in `anthropic-version`.
https://docs.anthropic.com/en/api/errors: 529 `overloaded_error`; `retry-after` with 429.
"""

from __future__ import annotations

from ai_config.adapters.http import broken, count_at, dig, exchange, list_at, text_at
from ai_config.adapters.values import Account, Bounds, Copy, CopyAsked

ORIGIN = "https://api.anthropic.com"
VERSION = "2023-06-01"


def write(account: Account, asked: CopyAsked, bounds: Bounds) -> Copy:
    """One text, written. Raises ProviderError."""
    answer = exchange(
        "POST",
        f"{account.origin(ORIGIN)}/v1/messages",
        headers={"x-api-key": account.api_key, "anthropic-version": VERSION},
        body={
            "model": account.copy_model,
            "max_tokens": asked.max_output_tokens,
            "system": asked.system,
            "messages": [{"role": "user", "content": asked.prompt}],
        },
        bounds=bounds,
    ).json()
    texts = [text_at(block, "text") for block in list_at(answer, "content") if dig(block, "type") == "text"]
    if not texts:
        raise broken("holds no text")
    return Copy(
        "".join(texts), count_at(answer, "usage", "input_tokens"), count_at(answer, "usage", "output_tokens")
    )
