"""Experiments: comparisons that write a table, a plot and the raw data, repeatable by seed."""
