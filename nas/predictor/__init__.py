"""Predicts what a pair costs from what is known of it before it is compiled, and transfers to where data are dear."""
