"""The benchmarks themselves: what they count, check and write.  Nothing here measures anything."""
