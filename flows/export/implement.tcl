# Makes a project of the accelerator alone, synthesises and implements it out of context, and reports clock and
# resources in reports/ beside this script:
#   vivado -mode batch -source implement.tcl [-tclargs PART]

set here [file normalize [file dirname [info script]]]
source [file join $here settings.tcl]
if {$argc > 0} {
    set part [lindex $argv 0]
}
set reports [file join $here reports]
file mkdir $reports

create_project -force accelerator [file join $here build accelerator] -part $part
add_files -norecurse [list [file join $here .. $top.v]]
add_files -fileset constrs_1 -norecurse [list [file join $here clock.xdc]]
set_property USED_IN {synthesis implementation out_of_context} [get_files clock.xdc]
set_property top $top [current_fileset]
update_compile_order -fileset sources_1

source [file join $here out_of_context.tcl]

foreach run {synth_1 impl_1} {
    launch_runs $run -jobs 4
    wait_on_run $run
    if {[get_property PROGRESS [get_runs $run]] != "100%"} {
        error "$run failed: [get_property STATUS [get_runs $run]]"
    }
}

open_run impl_1
report_timing_summary -file [file join $reports timing.rpt]
report_utilization -file [file join $reports utilisation.rpt]
report_utilization -hierarchical -file [file join $reports utilisation_by_component.rpt]
set slack [get_property SLACK [get_timing_paths -setup -max_paths 1 -nworst 1]]
set fastest [expr {1000.0 / (1000.0 / $clock_mhz - $slack)}]
puts [format "%s: slack %.3f ns at %g MHz, so at most %.1f MHz; reports in %s" $part $slack $clock_mhz $fastest $reports]
close_project
