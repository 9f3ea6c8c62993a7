"""What somebody at the back office keeps for themselves: preferences, and views of lists by name."""
