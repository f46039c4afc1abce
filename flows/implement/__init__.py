"""From an accelerator to cells of a device, and on an ECP5 to a placed and routed bitstream."""
