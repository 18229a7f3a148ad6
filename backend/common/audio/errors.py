"""Errors that carry a stable code for programs and a sentence for people."""

from __future__ import annotations


class CodedError(Exception):
    """Base of the typed errors here: `code` is stable, `detail` is a sentence a shop owner understands."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"


class AudioRefused(CodedError):
    """The file cannot be used.

    Codes: `empty_file`, `not_audio`, `unsupported_format`, `truncated`, `too_long`, `too_large`,
    `no_audio_stream`.
    """


class IsolationFailed(CodedError):
    """The child process gave no usable answer.

    Codes: `crashed`, `timed_out`, `out_of_memory`, `output_too_large`, `bad_answer`.
    """
