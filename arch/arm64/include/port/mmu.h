// SPDX-License-Identifier: Apache-2.0
// The linear map is the identity: virtual equals physical for RAM and for the image (docs/adr/0001).
#pragma once

static inline void *arch_mmu_linear(hpa_t pa)
{
    return (void *)(uintptr_t)pa.v;
}

static inline hpa_t arch_mmu_hpa(const void *va)
{
    return hpa((uintptr_t)va);
}
