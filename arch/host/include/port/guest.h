// SPDX-License-Identifier: Apache-2.0
// Host port: machine part of a guest.
#pragma once

#include <port/guest_mmu.h>
#include <stdbool.h>
#include <stdint.h>

struct arch_guest {
    struct arch_guest_mmu mmu;
    bool time_stopped;
    uint64_t time_offset; /**< counter value at which virtual time was 0 */
    uint64_t time_stopped_at;
};
