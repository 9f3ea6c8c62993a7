"""The numbered cases: attacks and faults, one test each."""
