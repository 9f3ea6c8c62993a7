"""A checker in the manner of Jepsen: clients, faults, a log of all operations, and what must hold of it."""
