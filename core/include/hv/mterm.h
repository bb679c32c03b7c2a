// SPDX-License-Identifier: Apache-2.0
// What the management terminal's shell and commands share. Room: mterm.
#pragma once

#include <hv/command.h>
#include <hv/report.h>
#include <hv/vcpu.h>
#include <lib/macros.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Key that ends a running command, and the one that leads back from an attached console (Ctrl-\). */
#define MTERM_INTERRUPT 0x03
#define MTERM_ESCAPE 0x1c

/** Longest time a command waits for something to happen. */
#define MTERM_WAIT_NS (2 * 1000000000ULL)

/** INITCALL: a shell on the console and on each device of /vmm bulkhead,consoles. */
int mterm_start(void);
struct chardev;
/** A shell for the device, not running yet; ready (may be NULL) is called by its thread when the first prompt stands. NULL: no memory. Orphan or boot. */
struct mterm *mterm_create(struct chardev *dev, void (*ready)(void));
/** Its thread reads from the device from now on, for ever. Errors of thread_create(). */
int mterm_open(struct mterm *shell, const char *name);
/** A whole line of the log, with its end: above the line that is being typed there. Any context; never waits. */
void mterm_log_line(struct mterm *shell, const char *text, size_t size);
/** Start-up guests and script, their output to the log. Orphan. */
void mterm_startup(void);

/** Errors of an operation go to the terminal, a line each, escaped. */
void mterm_report(struct report *report, struct terminal *term);
/** "ERROR: NAME: what" for a failed operation; returns err. */
int mterm_error(struct terminal *term, int err, const char *what, const char *name);
/** "1.234 s" style uptime from ns into buf. */
void mterm_duration(uint64_t ns, char *buf, size_t size);
/** Commands sorted by group, then name. NULL past the end. */
const struct command *mterm_command_at(unsigned index);

// Commands that stay for a while. Orphan.

/** The command draws the screen or reads keys by itself: no paging from here on. */
void mterm_live(struct terminal *term);
/** -EINTR: the user wants the command to end. Keys stay where they are. */
int mterm_sleep(struct terminal *term, uint64_t ns);
/** The same for what is ended by q as well as Ctrl-C, and takes all keys meanwhile; true: end. */
bool mterm_pause(struct terminal *term, uint64_t ns);
/** The terminal shows the log by itself from now on, or no longer: no echo of it there meanwhile. */
void mterm_log_follow(struct terminal *term, bool on);

// What a shell keeps, for its own commands.

/** The `back`-th latest line, 1 being the newest; NULL: there are not so many. */
const char *mterm_history(const struct mterm *shell, unsigned back);
/** Lines of a page; 0: output is not paged. */
unsigned mterm_page_rows(const struct mterm *shell);
void mterm_set_page_rows(struct mterm *shell, unsigned rows);

// Commands in the background.

#define MTERM_LINE_MAX 512
struct mterm_job {
    unsigned id; /**< from 1 */
    bool running;
    int result;     /**< once it has ended */
    uint64_t bytes; /**< of output kept */
    uint64_t lost;  /**< older ones, given up */
    char line[MTERM_LINE_MAX + 1];
};
/** Runs the line in a thread of its own; what is wrong is printed. -ENOMEM, -EAGAIN (too many). Orphan. */
int mterm_job_start(struct terminal *term, const char *line);
/** The one with the lowest number above `after`. Any context. */
bool mterm_job_next(unsigned after, struct mterm_job *info);
/** Its latest output. Orphan. -ENOENT. */
int mterm_job_output(unsigned id, struct terminal *term);
/** Asks it to end. Any context. -ENOENT, -EALREADY (it has ended). */
int mterm_job_stop(unsigned id);
/** 0 and its result once it has ended; -ENOENT, -EINTR, -ETIMEDOUT. Orphan. */
int mterm_job_wait(unsigned id, struct terminal *term, uint64_t timeout_ns, int *result);
/** Forgets all that have ended. Orphan. */
void mterm_job_clear(void);

/** The screen of "vcpu top", until the user wants it to end; a single one without a keyboard. Orphan. -ENOMEM, -EINTR. */
int mterm_top(struct terminal *term, uint64_t interval_ns);

struct vserial_reader;
/** Join the terminal with the port until MTERM_ESCAPE is typed (0) or the port goes (-EPIPE). Orphan. -ENOMEM. */
int mterm_attach(struct terminal *term, struct vserial_reader *reader);

/** What Tab offers for the word before the cursor. */
struct mterm_completion {
    size_t prefix;    /**< bytes of that word already typed */
    unsigned count;   /**< words that begin so */
    char common[128]; /**< longest text that all of them begin with */
    bool more;        /**< finished only when a "/" or another part follows: no blank behind it */
    size_t used;
    char words[2048]; /**< as many as fit, each terminated */
};
/** cursor: bytes of line before it. Orphan: asks for guests, ports and nodes, with their locks. */
void mterm_complete(const char *line, size_t cursor, struct mterm_completion *out);

/** What is told of a VCPU: a copy, so that it may be gone by the time it is printed. */
struct mterm_vcpu {
    uint32_t id;
    char name[VCPU_NAME_MAX];
    bool is_normal;
    bool is_thread;
    enum vcpu_state state;
    uint32_t reasons;
    uint8_t priority;
    unsigned cpu;
    cpumask_t affinity;
    uint64_t time_slice;
    uint64_t run_ns; /**< time in RUNNING */
    uint64_t switches;
    uint64_t exits; /**< of all causes */
    struct exit_stat exit_stats[EXIT_CAUSES];
    uint32_t reset_count;
    uint32_t subid;
    char guest[32]; /**< "" for orphans */
    char node[48];  /**< name of its device-tree node */
    uint64_t start_pc, start_sp;
    uint64_t deadline, period, budget; /**< ns; 0: no reservation */
    uint64_t slice_left;
    bool claims; /**< the policy has promised it its CPU */
    bool waits;  /**< in a waitqueue */
    bool has_irq, has_emu;
    uint32_t requests;             /**< enum vcpu_request, pending */
    uint64_t time_in[VCPU_STATES]; /**< ns, without the present stay */
    uint64_t state_since;          /**< uptime */
};
/** The VCPU can not go away meanwhile. */
void mterm_vcpu_copy(const struct vcpu *vcpu, struct mterm_vcpu *row);
/** All VCPUs in order of their ids, to be freed with heap_free(). Orphan. -ENOMEM. */
int mterm_vcpu_snapshot(struct mterm_vcpu **rows, unsigned *count);
/** What the manager knows of it beyond its state: origin, start, reservation, time in each state. */
void mterm_vcpu_describe(struct terminal *term, const struct mterm_vcpu *row);
/** "RUNNING", "PAUSED(wfi)" into buf. */
void mterm_vcpu_state_text(const struct mterm_vcpu *row, char *buf, size_t size);

struct guest;
/** What is worked out about a guest. */
struct mterm_guest {
    const char *state; /**< "reset", "running", "paused", "halted", "busy" */
    uint64_t memory;   /**< bytes */
    uint64_t uptime_ns;
};
/** Inside guest_for_each(). */
void mterm_guest_info(const struct guest *guest, struct mterm_guest *info);
void mterm_guest_describe(const struct guest *guest, struct terminal *term);
/** One line: why it does not run, or that it does, and its last fault. Inside guest_for_each(). */
void mterm_guest_why(const struct guest *guest, struct terminal *term);
/** A line for each region of its address space, with the accesses that were exits. Inside guest_for_each(). */
void mterm_guest_regions(const struct guest *guest, struct terminal *term);
/**
 * fn for the normal VCPU that text names: "GUEST/N", "GUEST/vcpuN" or an id; it stays alive meanwhile. fn's result, -ENOENT, or -EINVAL/-ERANGE when N is no
 * number. fn may sleep, for a bounded time. Orphan.
 */
int mterm_vcpu_apply(const char *text, int (*fn)(struct vcpu *vcpu, void *arg), void *arg);

/** Registers of a normal VCPU by the port's table. It must not run: see mterm_vcpu_registers(). */
struct mterm_register {
    const char *name;
    uint64_t value;
};
/**
 * Stops the VCPU for a moment if it runs, and calls fn for each register with the VCPU going on already. The caller keeps the VCPU alive. Orphan.
 * -ENOMEM, -ETIMEDOUT (it does not stop), -EINVAL (its state has no registers).
 */
int mterm_vcpu_registers(struct vcpu *vcpu, void (*fn)(const struct mterm_register *reg, void *arg),
                         void *arg);
/** Set of CPUs from "0,2-3". 0, -EINVAL (not such a list), -ERANGE (beyond the CPUs there can be). */
int mterm_parse_cpus(const char *text, cpumask_t *out);
/** The same into buf. */
void mterm_cpus_text(cpumask_t cpus, char *buf, size_t size);
/** What the CPU itself says it is. Orphan. */
void mterm_cpu_name(unsigned cpu, char *buf, unsigned size);
uint64_t mterm_counter_frequency(void);
/** "host latency": prints it, or counts anew. 0 or -ENOSYS (nothing to be reset in this build; said). Orphan. */
int mterm_latency(struct terminal *term, bool reset);
/** The first prompt stands: remember the host counter, which runs since power-on; 0 until then. */
void mterm_mark_prompt(void);
uint64_t mterm_prompt_counter(void);
/** Timers armed on all CPUs. */
unsigned mterm_timer_count(void);
/** Empty the console's queue, stop all CPUs, and go. */
NORETURN void mterm_power_off(void);
NORETURN void mterm_power_reset(void);

/** The hypervisor's address space, a line for each part. Orphan. -EINTR. */
int mterm_memory_map(struct terminal *term);
/** Bytes of RAM at a host-physical address; what can not be shown is refused with the reason (-EINVAL). Orphan. -EINTR. */
int mterm_memory_dump(struct terminal *term, uint64_t addr, uint64_t size);
