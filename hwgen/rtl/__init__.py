"""The accelerator in Amaranth, component by component."""
