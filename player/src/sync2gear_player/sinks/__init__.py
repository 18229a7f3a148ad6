"""Where the sound goes: a card, a file, or nowhere; all are paced in real time."""
