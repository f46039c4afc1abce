"""A network run on an accelerator's RTL: every byte compared, and where each layer's cycles went."""
