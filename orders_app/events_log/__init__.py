"""What listens (the history, `general.log`, `events.log`), and whether the history is whole."""
