// SPDX-License-Identifier: Apache-2.0
// The hypervisor's log: levels, a ring in memory, echo to the console sink. Room: log.
#pragma once

#include <lib/macros.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_LEVELS };

/**
 * Append a line (no newline needed). Any context; never waits for a UART with a lock held by
 * others. Control bytes are escaped.
 */
PRINTF(2, 3) void log_write(enum log_level level, const char *fmt, ...);

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

/**
 * Token bucket for what a guest can provoke: at most CONFIG_LOG_GUEST_RATE lines a second, then
 * "suppressed N". Zero-initialised.
 */
struct log_limit {
    uint64_t window_start_ns;
    uint32_t lines;
    uint32_t suppressed;
};
/** log_write(), unless the bucket is empty: then it is only counted. limit belongs to the caller. Any context. */
PRINTF(3, 4) void log_limited(struct log_limit *limit, enum log_level level, const char *fmt, ...);

/** "error", "warn", "info", "debug". */
const char *log_level_name(enum log_level level);
/** -ENOENT: no level is called so. */
int log_level_find(const char *name, enum log_level *level);

/** Lines above this level are kept in the ring but not echoed. Any context. */
void log_set_level(enum log_level level);
enum log_level log_get_level(void);
/**
 * The clock (ns) and the sink that higher rooms hand down; before that: 0 and the early console.
 * The sink gets one whole line with time, level and "\r\n" at its end, in the context of whoever
 * logs, no lock held; it must neither wait nor log.
 */
void log_set_clock(uint64_t (*now_ns)(void));
void log_set_sink(void (*sink)(const char *text, size_t size));

#define LOG_TEXT_MAX 240

/** A reader's place in the log. */
struct log_cursor {
    uint64_t position, number; /**< private */
};
struct log_entry {
    uint64_t ns;
    enum log_level level;
    uint64_t lost; /**< lines before this one that were overwritten unread */
    char text[LOG_TEXT_MAX + 1];
};
/** Places the cursor before the last `lines` lines, or as many as there are. Any context. */
void log_cursor_set(struct log_cursor *cursor, uint64_t lines);
/** The next line; false: there is none yet. Any context. */
bool log_next(struct log_cursor *cursor, struct log_entry *entry);

/**
 * Copy of the ring: calls line() for each stored line, oldest first. Orphan context; the callback
 * may sleep.
 */
void log_for_each(void (*line)(void *arg, enum log_level level, uint64_t ns, const char *text),
                  void *arg);
