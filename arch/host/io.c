// SPDX-License-Identifier: Apache-2.0
// Host port: device register accesses, with handlers that tests put over address ranges.

#include <arch/io.h>
#include <port/internal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HANDLERS_MAX 16

struct handler {
    uintptr_t base;
    size_t size;
    host_io_access access;
};

static struct handler handlers[HANDLERS_MAX];

void host_io_reset(void)
{
    memset(handlers, 0, sizeof(handlers));
}

static struct handler *find(uintptr_t addr)
{
    for (unsigned i = 0; i < HANDLERS_MAX; i++)
        if (handlers[i].access != NULL && addr - handlers[i].base < handlers[i].size)
            return &handlers[i];
    return NULL;
}

void host_io_handler(volatile void *base, size_t size, host_io_access access)
{
    struct handler *slot = find((uintptr_t)base);

    for (unsigned i = 0; slot == NULL && i < HANDLERS_MAX; i++)
        if (handlers[i].access == NULL)
            slot = &handlers[i];
    if (slot == NULL) {
        fprintf(stderr, "host port: more than %u device register handlers\n", HANDLERS_MAX);
        abort();
    }
    *slot = (struct handler){.base = (uintptr_t)base, .size = size, .access = access};
}

uint64_t host_io_read(const volatile void *addr, unsigned size)
{
    struct handler *handler = find((uintptr_t)addr);
    uint64_t value = 0;

    if (handler != NULL)
        handler->access((uintptr_t)addr - handler->base, size, false, &value);
    else
        memcpy(&value, (const void *)addr, size);
    return value;
}

void host_io_write(volatile void *addr, unsigned size, uint64_t value)
{
    struct handler *handler = find((uintptr_t)addr);

    if (handler != NULL)
        handler->access((uintptr_t)addr - handler->base, size, true, &value);
    else
        memcpy((void *)addr, &value, size);
}
