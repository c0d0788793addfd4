#include "procedures/sandbox/sandbox.h"

const char *const tier_names[] = {"auto", "namespaces", "landlock"};

const struct sandbox_limits sandbox_default_limits = {
    .tasks = 512,
    .output_bytes = 64 << 20,
    .disk_bytes = 512 << 20,
    .memory_bytes = INT64_C(4) << 30,
    .open_files = 1024,
    .virtual_ns = INT64_C(30) * 24 * 3600 * 1000000000,
    .cpu_ns = INT64_C(5) * 1000000000,
};
