"""The child process of `announcements.speech.synthesis`."""

from common.audio.forkserver import serve

serve({"speak": "announcements.speech.tasks:speak"})
