// SPDX-License-Identifier: Apache-2.0
// What devices hold: memory, registers, interrupts; given back in reverse order.
#include "dev_internal.h"

#include <hv/heap.h>
#include <hv/irq_thread.h>
#include <hv/log.h>
#include <hv/vmap.h>
#include <lib/errno.h>

enum resource_kind { RESOURCE_MEMORY, RESOURCE_REGS, RESOURCE_IRQ, RESOURCE_ACTION };

struct resource {
    struct list link;
    enum resource_kind kind;
    union {
        struct {
            hpa_t addr;
            uint64_t size;
            void *regs;
        } regs;
        struct {
            uint32_t number;
            bool threaded;
        } irq;
        struct {
            void (*fn)(void *arg);
            void *arg;
        } action;
    };
    uint64_t memory[]; // of RESOURCE_MEMORY
};

static struct resource *resource_create(enum resource_kind kind, size_t extra)
{
    struct resource *resource = heap_zalloc(sizeof(*resource) + extra);

    if (resource != NULL)
        resource->kind = kind;
    return resource;
}

static void resource_release(struct resource *resource)
{
    switch (resource->kind) {
    case RESOURCE_MEMORY:
        break;
    case RESOURCE_REGS:
        vmap_device_free(resource->regs.regs);
        break;
    case RESOURCE_IRQ:
        if (resource->irq.threaded)
            irq_thread_release(resource->irq.number);
        else
            irq_release(resource->irq.number);
        irq_put(resource->irq.number);
        break;
    case RESOURCE_ACTION:
        resource->action.fn(resource->action.arg);
        break;
    }
    heap_free(resource);
}

void device_release_all(struct device *dev)
{
    struct resource *resource;

    while ((resource = LIST_LAST(&dev->resources, struct resource, link)) != NULL) {
        list_remove(&resource->link);
        resource_release(resource);
    }
}

void *device_alloc(struct device *dev, size_t size)
{
    struct resource *resource = resource_create(RESOURCE_MEMORY, size);

    if (resource == NULL)
        return NULL;
    list_add_tail(&dev->resources, &resource->link);
    return resource->memory;
}

static int resource_map(struct device *dev, struct resource *resource, unsigned index)
{
    const struct device *owner;
    uint64_t addr, size;
    int err = dev->node == NULL ? -ENOENT : dt_get_reg_translated(dev->node, index, &addr, &size);

    if (err != 0)
        return err;
    owner = device_owner_of(hpa(addr), size);
    if (owner != NULL) {
        log_error("%s: its registers at 0x%llx belong to %s", dev->name, (unsigned long long)addr,
                  owner->name);
        return -EBUSY;
    }
    resource->regs.addr = hpa(addr);
    resource->regs.size = size;
    resource->regs.regs = vmap_device(hpa(addr), size);
    return resource->regs.regs == NULL ? -ENOMEM : 0;
}

int device_map(struct device *dev, unsigned index, void **regs)
{
    struct resource *resource = resource_create(RESOURCE_REGS, 0);
    int err = resource == NULL ? -ENOMEM : resource_map(dev, resource, index);

    if (err != 0) {
        heap_free(resource);
        return err;
    }
    list_add_tail(&dev->resources, &resource->link);
    *regs = resource->regs.regs;
    return 0;
}

/* A number is mapped; the request for it is what is left to do. */
static int resource_add_irq(struct device *dev, struct resource *resource, int err)
{
    if (err != 0) {
        irq_put(resource->irq.number);
        heap_free(resource);
        return err;
    }
    list_add_tail(&dev->resources, &resource->link);
    irq_enable(resource->irq.number);
    return 0;
}

static int resource_create_irq(struct device *dev, unsigned index, struct resource **out)
{
    struct resource *resource = resource_create(RESOURCE_IRQ, 0);
    int err = -ENOMEM;

    if (resource != NULL)
        err = dev->node == NULL ? -ENOENT : irq_from_node(dev->node, index, &resource->irq.number);
    if (err != 0)
        heap_free(resource);
    *out = resource;
    return err;
}

int device_request_irq(struct device *dev, unsigned index, irq_handler handler, void *arg)
{
    struct resource *resource;
    int err = resource_create_irq(dev, index, &resource);

    if (err != 0)
        return err;
    return resource_add_irq(dev, resource,
                            irq_request(resource->irq.number, dev->name, handler, arg));
}

int device_request_irq_thread(struct device *dev, unsigned index, irq_handler first,
                              void (*second)(uint32_t irq, void *arg), void *arg)
{
    struct resource *resource;
    int err = resource_create_irq(dev, index, &resource);

    if (err != 0)
        return err;
    resource->irq.threaded = true;
    return resource_add_irq(
        dev, resource, irq_thread_request(resource->irq.number, dev->name, first, second, arg));
}

int device_on_release(struct device *dev, void (*fn)(void *arg), void *arg)
{
    struct resource *resource = resource_create(RESOURCE_ACTION, 0);

    if (resource == NULL) {
        fn(arg);
        return -ENOMEM;
    }
    resource->action.fn = fn;
    resource->action.arg = arg;
    list_add_tail(&dev->resources, &resource->link);
    return 0;
}

static const struct resource *resource_at(const struct device *dev, enum resource_kind kind,
                                          unsigned index)
{
    LIST_FOR_EACH(resource, &dev->resources, struct resource, link) {
        if (resource->kind == kind && index-- == 0)
            return resource;
    }
    return NULL;
}

bool device_regs_at(const struct device *dev, unsigned index, hpa_t *addr, uint64_t *size)
{
    const struct resource *resource = resource_at(dev, RESOURCE_REGS, index);

    if (resource == NULL)
        return false;
    *addr = resource->regs.addr;
    *size = resource->regs.size;
    return true;
}

bool device_irq_at(const struct device *dev, unsigned index, uint32_t *irq)
{
    const struct resource *resource = resource_at(dev, RESOURCE_IRQ, index);

    if (resource == NULL)
        return false;
    *irq = resource->irq.number;
    return true;
}
