"""Pairs of a network and an accelerator: what there is to choose from, and what each is worth and costs."""
