"""What takes longer than a run under load: growth, bulk, the panel, memory, the start."""
