// SPDX-License-Identifier: Apache-2.0
// A terminal joined with a virtual serial port: a thread takes the operator's keys to the guest, the caller brings
// the guest's output. Only keys are searched for the escape, so no output can end it.
#include <hv/clock.h>
#include <hv/mterm.h>
#include <hv/sched.h>
#include <hv/thread.h>
#include <hv/vserial.h>
#include <hv/waitqueue.h>
#include <lib/errno.h>

/** How long keys rest while the guest takes none. */
#define FULL_PAUSE_NS (20 * NS_PER_MS)

struct attachment {
    struct terminal *term;
    struct vserial_reader *reader;
};

/** A bell while somebody else writes. Waits while the guest takes nothing, unless the way back has been asked for. False: no more keys. */
static bool send_key(struct attachment *at, uint8_t key)
{
    struct terminal *term = at->term;
    int n = vserial_claim(at->reader);

    if (n == -EBUSY)
        term->write(term, "\a", 1);
    if (n < 0)
        return n != -EPIPE;
    while ((n = vserial_write(at->reader, &key, 1)) == 0) {
        if (term->pending != NULL && term->pending(term, MTERM_ESCAPE))
            return true;
        if (thread_sleep(FULL_PAUSE_NS) < 0)
            return false;
    }
    return n != -EPIPE;
}

static int key_thread(void *arg)
{
    struct attachment *at = arg;
    int key;

    do {
        key = at->term->read(at->term, WAIT_FOREVER);
        if (key == MTERM_ESCAPE) {
            vserial_cancel(at->reader);
            return 0;
        }
    } while (key >= 0 && send_key(at, (uint8_t)key));
    return key;
}

static int show_output(struct attachment *at)
{
    uint8_t bytes[256];
    uint64_t lost;
    int n;

    for (;;) {
        n = vserial_read(at->reader, bytes, sizeof(bytes), WAIT_FOREVER, &lost);
        if (n < 0)
            return n;
        if (lost > 0)
            term_printf(at->term, "\n[%llu bytes lost]\n", (unsigned long long)lost);
        at->term->write(at->term, (const char *)bytes, (size_t)n);
    }
}

int mterm_attach(struct terminal *term, struct vserial_reader *reader)
{
    struct attachment at = {.term = term, .reader = reader};
    struct thread *keys;
    int code;
    int err;

    mterm_live(term);
    err = thread_create("attach", key_thread, &at, SCHED_PRIORITY_SHELL, 0, &keys);
    if (err < 0)
        return err;
    err = thread_start(keys);
    if (err == 0) {
        err = show_output(&at);
        thread_request_stop(keys);
    }
    (void)thread_join(keys, &code);
    return err == -ECANCELED ? 0 : err;
}
