// SPDX-License-Identifier: Apache-2.0
// Pointer authentication keys: part of the world where the CPU has them.
#include <arm64/pauth.h>
#include <arm64/sysreg.h>

/* APIA, APIB, APDA, APDB, APGA: low and high halves. */
#define PAUTH_KEYS(X)                                                                              \
    X(0, S3_0_C2_C1_0)                                                                             \
    X(1, S3_0_C2_C1_1)                                                                             \
    X(2, S3_0_C2_C1_2)                                                                             \
    X(3, S3_0_C2_C1_3)                                                                             \
    X(4, S3_0_C2_C2_0)                                                                             \
    X(5, S3_0_C2_C2_1)                                                                             \
    X(6, S3_0_C2_C2_2)                                                                             \
    X(7, S3_0_C2_C2_3)                                                                             \
    X(8, S3_0_C2_C3_0)                                                                             \
    X(9, S3_0_C2_C3_1)

void pauth_save_keys(uint64_t *keys)
{
#define X(i, reg) keys[i] = sysreg_read(reg);
    PAUTH_KEYS(X)
#undef X
}

void pauth_load_keys(const uint64_t *keys)
{
#define X(i, reg) sysreg_write(reg, keys[i]);
    PAUTH_KEYS(X)
#undef X
}
