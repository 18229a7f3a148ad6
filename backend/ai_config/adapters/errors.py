"""Why a provider did not do what was asked."""

from __future__ import annotations


class ProviderError(Exception):
    """A call that failed. `detail` is a sentence for sync2gear's staff and holds nothing secret.

    Codes: `unauthorized`, `exhausted`, `rate_limited`, `refused`, `voice_unknown`, `unavailable`, `timed_out`,
    `unreachable`, `broken_answer`, `broken_audio`, `too_large`, `key_unreadable`. `retry_after_s` is what the provider
    asked for. `charged`: the provider may have done the work, so the call counts.
    """

    def __init__(
        self, code: str, detail: str, *, retry_after_s: float | None = None, charged: bool = False
    ) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.charged = charged

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"
