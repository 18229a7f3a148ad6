"""The child process of `common.audio.isolated`."""

from common.audio.forkserver import serve

serve(
    {
        "inspect": "common.audio.tasks:inspect",
        "survey": "common.audio.tasks:survey",
        "normalise": "common.audio.tasks:normalise",
    }
)
