# Its ports are for other logic on the chip, and are more than any package has pins: no buffers around them.
set_property -name {STEPS.SYNTH_DESIGN.ARGS.MORE OPTIONS} -value {-mode out_of_context} -objects [get_runs synth_1]
