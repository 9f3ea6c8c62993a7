"""What else a team might have written, each in the style that its own documentation recommends."""
