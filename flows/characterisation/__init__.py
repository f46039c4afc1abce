"""What accelerators come to on an ECP5: many of them implemented once, and models fitted on what they came to."""
