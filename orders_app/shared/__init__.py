"""What the features have in common; knows no feature and no Flask."""
