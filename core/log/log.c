// SPDX-License-Identifier: Apache-2.0
// The log: lines are formatted and escaped on the caller's stack, kept in a ring, and echoed to the
// console without a lock.

#include <arch/console.h>
#include <hv/log.h>
#include <hv/report.h>
#include <hv/spinlock.h>
#include <lib/errno.h>
#include <lib/escape.h>
#include <lib/fmt.h>
#include <lib/string.h>
#include <stdarg.h>
#include <stdbool.h>

#define ECHO_MAX (LOG_TEXT_MAX + 40u)
#define LIMIT_WINDOW_NS 1000000000ULL

_Static_assert((CONFIG_LOG_SIZE & (CONFIG_LOG_SIZE - 1)) == 0, "positions in the ring are masked");
_Static_assert(LOG_TEXT_MAX <= UINT8_MAX, "a length is one byte");

struct record {
    uint64_t ns;
    uint8_t level;
    uint8_t size;
};

/* Positions count all bytes ever written; the ring holds [oldest, newest). */
static struct spinlock ring_lock = SPINLOCK_INIT;
static char ring[CONFIG_LOG_SIZE] GUARDED_BY(ring_lock);
static uint64_t oldest GUARDED_BY(ring_lock);
static uint64_t newest GUARDED_BY(ring_lock);
/* Lines ever written, and how many of them have been overwritten. */
static uint64_t lines_written GUARDED_BY(ring_lock);
static uint64_t lines_gone GUARDED_BY(ring_lock);

static struct spinlock limit_lock = SPINLOCK_INIT;

static enum log_level echo_level = LOG_INFO;
static uint64_t (*clock_hook)(void);
static void (*sink_hook)(const char *text, size_t size);

static const char *const level_tags[LOG_LEVELS] = {
    [LOG_ERROR] = "ERROR: ", [LOG_WARN] = "warning: ", [LOG_INFO] = "", [LOG_DEBUG] = "debug: "};

static const char *const level_names[LOG_LEVELS] = {
    [LOG_ERROR] = "error", [LOG_WARN] = "warn", [LOG_INFO] = "info", [LOG_DEBUG] = "debug"};

struct line {
    size_t size;
    char text[LOG_TEXT_MAX];
};

static uint64_t log_now(void)
{
    uint64_t (*now)(void) = __atomic_load_n(&clock_hook, __ATOMIC_RELAXED);

    return now == NULL ? 0 : now();
}

static void ring_copy_in(const void *from, size_t size) REQUIRES(ring_lock)
{
    for (size_t i = 0; i < size; i++)
        ring[newest++ & (CONFIG_LOG_SIZE - 1)] = ((const char *)from)[i];
}

static void ring_copy_out(uint64_t position, void *to, size_t size) REQUIRES(ring_lock)
{
    for (size_t i = 0; i < size; i++)
        ((char *)to)[i] = ring[(position + i) & (CONFIG_LOG_SIZE - 1)];
}

static void ring_append(const struct record *record, const char *text)
{
    size_t need = sizeof(*record) + record->size;
    irqflags_t flags = spin_lock_irqsave(&ring_lock);

    while (CONFIG_LOG_SIZE - (newest - oldest) < need) {
        struct record first;

        ring_copy_out(oldest, &first, sizeof(first));
        oldest += sizeof(first) + first.size;
        lines_gone++;
    }
    ring_copy_in(record, sizeof(*record));
    ring_copy_in(text, record->size);
    lines_written++;
    spin_unlock_irqrestore(&ring_lock, flags);
}

/* Receives formatted text piece by piece; what does not fit is cut. */
static void line_put(void *ctx, const char *s, size_t n)
{
    struct line *line = ctx;

    for (size_t i = 0; i < n; i++) {
        char escaped[ESCAPE_BYTE_MAX + 1];
        size_t size = 1;

        if (escape_is_safe((uint8_t)s[i], NULL)) {
            escaped[0] = s[i];
        } else {
            escape_bytes(escaped, sizeof(escaped), &s[i], 1, NULL);
            size = strlen(escaped);
        }
        if (line->size + size > LOG_TEXT_MAX)
            return;
        memcpy(line->text + line->size, escaped, size);
        line->size += size;
    }
}

static void line_echo(const struct record *record, const char *text)
{
    void (*sink)(const char *text, size_t size) = __atomic_load_n(&sink_hook, __ATOMIC_ACQUIRE);
    char echo[ECHO_MAX];
    uint64_t us = record->ns / 1000;
    int size = fmt_snprintf(echo, sizeof(echo), "[%5llu.%06llu] %s%.*s\r\n",
                            (unsigned long long)(us / 1000000), (unsigned long long)(us % 1000000),
                            level_tags[record->level], (int)record->size, text);

    if (size >= (int)sizeof(echo))
        size = (int)sizeof(echo) - 1;
    if (sink != NULL) {
        sink(echo, (size_t)size);
        return;
    }
    for (int i = 0; i < size; i++)
        arch_console_putc(echo[i]);
}

static void log_vwrite(enum log_level level, const char *fmt, va_list args)
{
    struct record record = {.ns = log_now(), .level = (uint8_t)level};
    struct line line = {.size = 0};
    size_t length = strlen(fmt);

    fmt_vprint(line_put, &line, fmt, args);
    /* A newline at the end of the format is the line's own end, not content. */
    if (length > 0 && fmt[length - 1] == '\n' && line.size >= 4 &&
        memcmp(line.text + line.size - 4, "\\x0a", 4) == 0)
        line.size -= 4;
    record.size = (uint8_t)line.size;
    ring_append(&record, line.text);
    if (level <= log_get_level())
        line_echo(&record, line.text);
}

void log_write(enum log_level level, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    log_vwrite(level, fmt, args);
    va_end(args);
}

/* May one more line be written? *suppressed: how many were not, to be said now. */
static bool limit_admit(struct log_limit *limit, uint32_t *suppressed)
{
    uint64_t now = log_now();
    irqflags_t flags = spin_lock_irqsave(&limit_lock);
    bool admit;

    *suppressed = 0;
    if (now - limit->window_start_ns >= LIMIT_WINDOW_NS) {
        *suppressed = limit->suppressed;
        limit->window_start_ns = now;
        limit->suppressed = 0;
        /* Saying so is a line too. */
        limit->lines = *suppressed != 0 ? 1 : 0;
    }
    admit = limit->lines < CONFIG_LOG_GUEST_RATE;
    if (admit)
        limit->lines++;
    else
        limit->suppressed++;
    spin_unlock_irqrestore(&limit_lock, flags);
    return admit;
}

void log_limited(struct log_limit *limit, enum log_level level, const char *fmt, ...)
{
    uint32_t suppressed;
    bool admit = limit_admit(limit, &suppressed);
    va_list args;

    if (suppressed != 0)
        log_write(level, "suppressed %u lines like the next", suppressed);
    if (!admit)
        return;
    va_start(args, fmt);
    log_vwrite(level, fmt, args);
    va_end(args);
}

void log_set_level(enum log_level level)
{
    __atomic_store_n(&echo_level, level, __ATOMIC_RELAXED);
}

enum log_level log_get_level(void)
{
    return __atomic_load_n(&echo_level, __ATOMIC_RELAXED);
}

void log_set_clock(uint64_t (*now_ns)(void))
{
    __atomic_store_n(&clock_hook, now_ns, __ATOMIC_RELAXED);
}

void log_set_sink(void (*sink)(const char *text, size_t size))
{
    __atomic_store_n(&sink_hook, sink, __ATOMIC_RELEASE);
}

const char *log_level_name(enum log_level level)
{
    return level_names[level];
}

int log_level_find(const char *name, enum log_level *level)
{
    for (unsigned i = 0; i < LOG_LEVELS; i++) {
        if (str_equal(name, level_names[i])) {
            *level = (enum log_level)i;
            return 0;
        }
    }
    return -ENOENT;
}

bool log_next(struct log_cursor *cursor, struct log_entry *entry)
{
    irqflags_t flags = spin_lock_irqsave(&ring_lock);
    struct record record;
    bool found;

    entry->lost = 0;
    if (cursor->position < oldest) {
        entry->lost = lines_gone - cursor->number;
        cursor->position = oldest;
        cursor->number = lines_gone;
    }
    found = cursor->position < newest;
    if (found) {
        ring_copy_out(cursor->position, &record, sizeof(record));
        ring_copy_out(cursor->position + sizeof(record), entry->text, record.size);
        entry->text[record.size] = '\0';
        entry->ns = record.ns;
        entry->level = (enum log_level)record.level;
        cursor->position += sizeof(record) + record.size;
        cursor->number++;
    }
    spin_unlock_irqrestore(&ring_lock, flags);
    return found;
}

/* One line further, unless no more than `lines` follow. */
static bool cursor_skip(struct log_cursor *cursor, uint64_t lines)
{
    irqflags_t flags = spin_lock_irqsave(&ring_lock);
    bool far = lines_written - cursor->number > lines;
    struct record record;

    if (cursor->position < oldest) {
        cursor->position = oldest;
        cursor->number = lines_gone;
    } else if (far) {
        ring_copy_out(cursor->position, &record, sizeof(record));
        cursor->position += sizeof(record) + record.size;
        cursor->number++;
    }
    spin_unlock_irqrestore(&ring_lock, flags);
    return far;
}

void log_cursor_set(struct log_cursor *cursor, uint64_t lines)
{
    *cursor = (struct log_cursor){0};
    while (cursor_skip(cursor, lines))
        continue;
}

void log_for_each(void (*line)(void *arg, enum log_level level, uint64_t ns, const char *text),
                  void *arg)
{
    irqflags_t flags = spin_lock_irqsave(&ring_lock);
    struct log_cursor cursor = {.position = oldest, .number = lines_gone};
    uint64_t end = lines_written;
    struct log_entry entry;

    spin_unlock_irqrestore(&ring_lock, flags);
    while (cursor.number < end && log_next(&cursor, &entry) && cursor.number <= end)
        line(arg, entry.level, entry.ns, entry.text);
}

static void report_line(struct report *report, const char *text)
{
    (void)report;
    log_error("%s", text);
}

void report_to_log(struct report *report)
{
    *report = (struct report){.line = report_line};
}
