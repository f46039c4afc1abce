// The bytes behind axi_memory: host memory that costs nothing until it is touched, and which of it has been written.

#include <sys/mman.h>

#include <cstdint>
#include <cstdio>
#include <cstring>

#include "svdpi.h"

namespace {

constexpr std::size_t SIZE = std::size_t{1} << 28;

uint8_t* untouched_pages() {
    return static_cast<uint8_t*>(
        mmap(nullptr, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
}

uint8_t* const bytes = untouched_pages();
uint8_t* const written = untouched_pages();

}  // namespace

// Every address and count was checked by the caller to lie in [0, SIZE).
extern "C" {

// Fill memory with `count` bytes of a file from `offset` on; returns how many the file had.
int storage_load(const char* path, long long offset, int address, int count) {
    std::FILE* const file = std::fopen(path, "rb");
    if (!file) return -1;
    std::fseek(file, offset, SEEK_SET);
    const std::size_t loaded = std::fread(bytes + address, 1, count, file);
    std::fclose(file);
    std::memset(written + address, 1, loaded);
    return static_cast<int>(loaded);
}

// Append `count` bytes to a file; returns the index of the first that was never written, or `count`, or -1 if the
// file cannot be written.
int storage_dump(const char* path, int address, int count) {
    std::FILE* const file = std::fopen(path, "ab");
    if (!file) return -1;
    const std::size_t dumped = std::fwrite(bytes + address, 1, count, file);
    if (std::fclose(file) != 0 || dumped != static_cast<std::size_t>(count)) return -1;
    const void* const hole = std::memchr(written + address, 0, count);
    return hole ? static_cast<int>(static_cast<const uint8_t*>(hole) - (written + address)) : count;
}

// Forget that a region was written.
void storage_forget(int address, int count) { std::memset(written + address, 0, count); }

// Read one bus word; returns whether any byte of it was ever written.
svBit storage_read(int address, int count, svBitVecVal* data) {
    std::memcpy(data, bytes + address, count);
    return std::memchr(written + address, 1, count) != nullptr;
}

// Write the bytes of one bus word whose strobe is set.
void storage_write(int address, int count, const svBitVecVal* data, int strobe) {
    const auto* const source = reinterpret_cast<const uint8_t*>(data);
    for (int i = 0; i < count; i++) {
        if (strobe >> i & 1) {
            bytes[address + i] = source[i];
            written[address + i] = 1;
        }
    }
}
}
