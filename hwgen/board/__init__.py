"""A board around an accelerator: memory on the same chip, and a serial bridge by which a host reaches both."""
