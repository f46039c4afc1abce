# Packages the accelerator as an IP with AXI interfaces, in ip/ beside this script:
#   vivado -mode batch -source package_ip.tcl [-tclargs PART]
# A project whose ip_repo_paths name that folder has it in its catalogue.

set here [file normalize [file dirname [info script]]]
source [file join $here settings.tcl]
if {$argc > 0} {
    set part [lindex $argv 0]
}
set ip [file join $here ip]
file delete -force $ip

create_project -force packaging [file join $here build packaging] -part $part
add_files -norecurse [list [file join $here .. $top.v]]
set_property top $top [current_fileset]
update_compile_order -fileset sources_1

ipx::package_project -root_dir $ip -vendor cosynth -library user -taxonomy /UserIP -import_files -set_current true
set core [ipx::current_core]
set_property name $top $core
set_property version $version $core
set_property display_name {Cosynth accelerator} $core
set_property description $description $core
set_property supported_families {
    artix7 Production kintex7 Production virtex7 Production zynq Production
    zynquplus Production kintexuplus Production virtexuplus Production
} $core

# Interfaces are named by their ports, whatever was inferred when the project was packaged.
ipx::remove_all_bus_interface $core
ipx::remove_all_memory_map $core
ipx::infer_bus_interface $m_axi_ports xilinx.com:interface:aximm_rtl:1.0 $core
ipx::infer_bus_interface $s_axil_ports xilinx.com:interface:aximm_rtl:1.0 $core
ipx::infer_bus_interface clk xilinx.com:signal:clock_rtl:1.0 $core
ipx::infer_bus_interface rst xilinx.com:signal:reset_rtl:1.0 $core
ipx::infer_bus_interface irq xilinx.com:signal:interrupt_rtl:1.0 $core

proc interface {name} {
    set found [ipx::get_bus_interfaces -quiet $name -of_objects $::core]
    if {[llength $found] != 1} {
        error "interface $name was not inferred"
    }
    return $found
}

# Inferring interfaces may have brought some of what belongs to them.
proc found_or_added {kind name parent} {
    set found [ipx::get_${kind}s -quiet $name -of_objects $parent]
    if {[llength $found] == 0} {
        set found [ipx::add_$kind $name $parent]
    }
    return $found
}

set_property value ACTIVE_HIGH [found_or_added bus_parameter POLARITY [interface rst]]
ipx::associate_bus_interfaces -busif [interface m_axi] -clock [interface clk] $core
ipx::associate_bus_interfaces -busif [interface s_axil] -clock [interface clk] $core
ipx::associate_bus_interfaces -clock [interface clk] -reset [interface rst] $core
interface irq

set space [found_or_added address_space m_axi $core]
set_property range 4G $space
set_property width 32 $space
set_property master_address_space_ref m_axi [interface m_axi]

set registers [found_or_added address_block registers [found_or_added memory_map s_axil $core]]
set_property range $register_bytes $registers
set_property width 32 $registers
set_property usage register $registers
set_property slave_memory_map_ref s_axil [interface s_axil]

ipx::create_xgui_files $core
ipx::update_checksums $core
ipx::check_integrity $core
ipx::save_core $core
close_project -delete
puts "packaged in $ip"
