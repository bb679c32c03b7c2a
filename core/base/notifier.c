// SPDX-License-Identifier: Apache-2.0
// Notifier chains: callbacks that a higher room hands to a lower one.

#include <hv/notifier.h>
#include <stddef.h>

void notifier_add(struct notifier_chain *chain, struct notifier *n)
{
    struct notifier **end = &chain->first;

    while (*end != NULL)
        end = &(*end)->next;
    n->next = NULL;
    *end = n;
}

void notifier_call(struct notifier_chain *chain, unsigned event, void *data)
{
    for (struct notifier *n = chain->first; n != NULL; n = n->next)
        n->notify(n, event, data);
}
