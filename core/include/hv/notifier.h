// SPDX-License-Identifier: Apache-2.0
// Notifier chains: static lists of callbacks a higher room hands to a lower one. Registered at boot
// only. Room: base.
#pragma once

struct notifier {
    void (*notify)(struct notifier *self, unsigned event, void *data);
    struct notifier *next;
};

struct notifier_chain {
    struct notifier *first;
};

/** Boot (single threaded) only. */
void notifier_add(struct notifier_chain *chain, struct notifier *n);
/** Calls every notifier in order of registration, in the caller's context. */
void notifier_call(struct notifier_chain *chain, unsigned event, void *data);
