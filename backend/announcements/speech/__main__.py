"""The child process of `announcements.speech.synthesis`."""

from common.audio.process import serve

serve({"speak": "announcements.speech.tasks:speak"})
