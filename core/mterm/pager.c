// SPDX-License-Identifier: Apache-2.0
// Pager: shows long output a page at a time without holding up the command that makes it.
#include <hv/chardev.h>
#include <hv/heap.h>
#include <hv/waitqueue.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>
#include "mterm_internal.h"

/** Most bytes kept for later. */
#define KEEP_MAX (128 * 1024u)
#define KEEP_FIRST 4096u

void pager_begin(struct pager *pager, struct chardev *dev, unsigned columns, unsigned rows)
{
    *pager = (struct pager){
        .dev = dev, .columns = columns, .rows = rows, .left = rows > 0 ? rows - 1 : 0};
}

// Bytes that still fit on the page, which they then fill.
static size_t page_take(struct pager *pager, const char *text, size_t size)
{
    size_t n = 0;

    while (n < size && pager->left > 0) {
        char c = text[n++];

        pager->column = c == '\r' ? 0 : pager->column + (c != '\n');
        if (c == '\n' || pager->column == pager->columns) {
            pager->column = 0;
            pager->left--;
        }
    }
    return n;
}

static void keep_grow(struct pager *pager, size_t need)
{
    size_t size = MAX((size_t)KEEP_FIRST, 2 * pager->size);
    char *bigger;

    while (size < pager->used + need && size < KEEP_MAX)
        size *= 2;
    bigger = size <= KEEP_MAX ? heap_alloc(size) : NULL;
    if (bigger == NULL)
        return;
    if (pager->kept != NULL)
        memcpy(bigger, pager->kept, pager->used);
    heap_free(pager->kept);
    pager->kept = bigger;
    pager->size = size;
}

static void keep(struct pager *pager, const char *text, size_t size)
{
    // Once something is missing, all that follows is: no holes.
    if (pager->dropped == 0 && size > pager->size - pager->used)
        keep_grow(pager, size);
    if (pager->dropped == 0 && size <= pager->size - pager->used) {
        memcpy(pager->kept + pager->used, text, size);
        pager->used += size;
        return;
    }
    for (size_t i = 0; i < size; i++)
        pager->dropped += text[i] == '\n';
}

// From what is kept, as much as the page takes.
static void show_kept(struct pager *pager)
{
    size_t n = page_take(pager, pager->kept + pager->from, pager->used - pager->from);

    chardev_write(pager->dev, (const uint8_t *)pager->kept + pager->from, n);
    pager->from += n;
    if (pager->from < pager->used) {
        mterm_pager_prompt(pager, true);
    } else {
        pager->from = 0;
        pager->used = 0;
    }
}

static void obey_key(struct pager *pager, int key)
{
    switch (key) {
    case ' ':
        pager->left = pager->rows - 1;
        break;
    case '\r':
    case '\n':
        pager->left = 1;
        break;
    case 'q':
    case 'Q':
    case MTERM_INTERRUPT:
        pager->quit = true;
        break;
    default:
        if (key >= 0)
            return;
        pager->quit = true;
    }
    mterm_pager_prompt(pager, false);
    if (!pager->quit)
        show_kept(pager);
}

static void poll_keys(struct pager *pager)
{
    int key;

    while (pager->waiting && (key = chardev_read(pager->dev, 0)) != -ETIMEDOUT)
        obey_key(pager, key);
}

void pager_write(struct pager *pager, const char *text, size_t size)
{
    size_t n;

    if (pager->quit)
        return;
    n = pager->rows == 0 ? size : pager->waiting ? 0 : page_take(pager, text, size);
    chardev_write(pager->dev, (const uint8_t *)text, n);
    if (n < size) {
        if (!pager->waiting)
            mterm_pager_prompt(pager, true);
        keep(pager, text + n, size - n);
    }
    poll_keys(pager);
}

static void tell_dropped(struct pager *pager)
{
    char text[96];
    int n = fmt_snprintf(text, sizeof(text), "\r\n[%llu lines more than the pager keeps]\r\n",
                         (unsigned long long)pager->dropped);

    chardev_write(pager->dev, (const uint8_t *)text, (size_t)n);
}

void pager_end(struct pager *pager)
{
    while (pager->waiting)
        obey_key(pager, chardev_read(pager->dev, WAIT_FOREVER));
    if (pager->dropped > 0 && !pager->quit)
        tell_dropped(pager);
    heap_free(pager->kept);
    pager->kept = NULL;
    pager->dropped = 0;
    pager->rows = 0;
}
