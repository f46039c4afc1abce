"""The page of benchmarks: known networks on known accelerators, beside what others report."""
