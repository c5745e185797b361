// What the machine offers: cores, memory, and the best kernels its processor can run.
#pragma once

#include <cstdint>
#include <string>

#include "engine/backend/cpu/kernels.h"

namespace hearth::engine::cpu {

// Physical cores this process may run on, at most the cgroup's CPU quota; at least 1.
int PhysicalCores();

// "Intel(R) Xeon(R) Processor @ 2.80GHz", or the architecture when the kernel has no name.
std::string ProcessorName();

// Memory that can be taken without swapping: MemAvailable, at most what the cgroup leaves. Bytes.
int64_t AvailableMemoryBytes();

// MemTotal, at most the cgroup's limit. Bytes.
int64_t TotalMemoryBytes();

const Kernels& BestKernels();

}  // namespace hearth::engine::cpu
