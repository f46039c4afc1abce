// The simulated board's surroundings: its clock, and a serial line that ends in a file descriptor of the parent's.
//
//   +line=FD        where the line's bytes come from and go to
//   +divisor=N      clock cycles per bit
//
// After a while in which nothing passes over the line, time stands still until something does: whoever waits for the
// board asks it, and a board that nobody uses takes no processor.

#include <array>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "Vtop.h"
#include "verilated.h"

namespace {

constexpr int RESET_CYCLES = 8;
constexpr int POLL_INTERVAL = 64;              // cycles between looks for a byte
constexpr std::int64_t IDLE_CYCLES = 1 << 22;  // after which time stands still

std::string option(VerilatedContext& context, const std::string& name) {
    return std::string(context.commandArgsPlusMatch((name + "=").c_str())).substr(name.size() + 2);
}

// One byte on the line: start bit, eight data bits from the lowest on, stop bit.
class Sender {
public:
    explicit Sender(int divisor) : divisor(divisor) {}
    bool idle() const { return left == 0; }
    void send(std::uint8_t byte) {
        bits = 0x200u | static_cast<unsigned>(byte) << 1;
        left = 10 * divisor;
    }
    int step() {
        if (left == 0) return 1;
        const int level = bits >> ((10 * divisor - left) / divisor) & 1;
        --left;
        return level;
    }

private:
    const int divisor;
    unsigned bits = 0;
    int left = 0;
};

// Reads each bit in its middle, found from the start bit's edge.
class Receiver {
public:
    explicit Receiver(int divisor) : divisor(divisor) {}
    // Whether a byte is complete.
    bool step(int level) {
        if (cycle < 0) {
            if (level == 0) cycle = 0;
            return false;
        }
        ++cycle;
        const int bit = (cycle - divisor / 2) / divisor;
        if (cycle % divisor != divisor / 2) return false;
        if (bit >= 1 && bit <= 8) byte = static_cast<std::uint8_t>(byte >> 1 | level << 7);
        if (bit < 9) return false;
        cycle = -1;
        return level == 1;
    }
    std::uint8_t byte = 0;

private:
    const int divisor;
    int cycle = -1;
};

}  // namespace

int main(int argc, char** argv) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);

    VerilatedContext context;
    context.commandArgs(argc, argv);
    const auto board = std::make_unique<Vtop>(&context);
    const int line = std::stoi(option(context, "line"));
    const int divisor = std::stoi(option(context, "divisor"));
    Sender sender(divisor);
    Receiver receiver(divisor);

    std::array<std::uint8_t, 4096> received;
    std::size_t next = 0, end = 0;
    std::int64_t quiet = 0;
    for (std::int64_t cycle = 0;; ++cycle) {
        if (next == end && cycle % POLL_INTERVAL == 0 && cycle > RESET_CYCLES) {
            pollfd readable = {line, POLLIN, 0};
            if (poll(&readable, 1, quiet < IDLE_CYCLES ? 0 : -1) > 0) {
                const ssize_t count = read(line, received.data(), received.size());
                if (count <= 0) return EXIT_SUCCESS;  // the parent has closed the line
                next = 0;
                end = count;
            }
        }
        if (next != end && sender.idle()) {
            sender.send(received[next++]);
            quiet = 0;
        }
        ++quiet;
        board->rst = cycle < RESET_CYCLES;
        board->received = sender.step();
        board->clk = 0;
        board->eval();
        board->clk = 1;
        board->eval();
        if (receiver.step(board->sent)) {
            quiet = 0;
            if (write(line, &receiver.byte, 1) != 1) return EXIT_SUCCESS;
        }
    }
}
