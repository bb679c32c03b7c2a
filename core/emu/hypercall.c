// SPDX-License-Identifier: Apache-2.0
// SMC calling convention (DEN 0028): finds the service that a function id belongs to.
#include <hv/emulator.h>
#include <hv/upcall.h>

#include <lib/table.h>

#define SMCCC_CONVENTION_64 (1U << 30)
#define SMCCC_NOT_SUPPORTED UINT64_MAX

TABLE_DECLARE(smccc_services, struct smccc_service);

/* Both conduits reach the same services. */
void hv_hypercall(struct vcpu *vcpu, uint64_t x[18])
{
    uint32_t id = (uint32_t)x[0] & ~SMCCC_CONVENTION_64;

    TABLE_FOREACH(smccc_services, struct smccc_service, iter) {
        const struct smccc_service *service = *iter;

        if (id >= service->first && id <= service->last) {
            service->call(vcpu, x);
            return;
        }
    }
    x[0] = SMCCC_NOT_SUPPORTED;
}
