// SPDX-License-Identifier: Apache-2.0
// Contract: the machine part of a guest (translation, virtual time).
#pragma once

#include <arch/guest_mmu.h>
#include <port/guest.h> /* struct arch_guest: member of struct guest */
#include <stdint.h>

struct guest;

/** Prepare stage 2 and virtual time. Orphan. -ENOMEM. */
int arch_guest_init(struct guest *guest);
void arch_guest_destroy(struct guest *guest);
