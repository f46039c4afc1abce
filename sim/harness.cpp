// The compiled harness: clocks cosynth_top until it is finished. Everything else is the top's own work.

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <sys/prctl.h>
#include <csignal>

#include "Vtop.h"
#include "verilated.h"
#if VM_TRACE
#include "verilated_fst_c.h"
#endif

#if !VM_TRACE
// The model's own step. top->eval() is the same between two locks, which serve threads and classes that the design has
// not, and took 8 % of a simulation's time.
void Vtop___024root___eval(Vtop___024root* root);
#endif

int main(int argc, char** argv) {
    // A simulation never outlives the process that wants its result.
    prctl(PR_SET_PDEATHSIG, SIGKILL);

    VerilatedContext context;
    context.commandArgs(argc, argv);
    context.fatalOnError(false);
    const auto top = std::make_unique<Vtop>(&context);

#if VM_TRACE
    context.traceEverOn(true);
    VerilatedFstC trace;
    top->trace(&trace, 99);
    trace.open(context.commandArgsPlusMatch("trace=") + std::string("+trace=").size());
#endif

    const auto clock = [&](int level) {
        top->clk = level;
#if VM_TRACE
        top->eval();
        trace.dump(context.time());
#else
        Vtop___024root___eval(top->rootp);
#endif
        context.timeInc(1);
    };
    top->clk = 0;
    top->eval();  // with the initial blocks
    while (!top->finished && !context.gotFinish()) {
        clock(0);
        clock(1);
    }
    top->final();
#if VM_TRACE
    trace.close();
#endif
    // Only errors end a simulation from within ($fatal), perhaps in the very cycle in which it finishes.
    return context.gotFinish() ? EXIT_FAILURE : EXIT_SUCCESS;
}
