// SPDX-License-Identifier: Apache-2.0
// A place without a device that guests may still touch: everything reads as zero, and writes are ignored.

#include <hv/emulator.h>

static const char *const raz_wi_match[] = {"bulkhead,raz-wi", NULL};

static const struct emulator raz_wi = {
    .name = "raz-wi",
    .match = raz_wi_match,
    .version = 1,
    .widths = EMU_WIDTH_8 | EMU_WIDTH_16 | EMU_WIDTH_32 | EMU_WIDTH_64,
    .access = emu_register_access,
};
EMULATOR(raz_wi);
