"""What happened: the history of each order, `general.log` and `events.log`."""
