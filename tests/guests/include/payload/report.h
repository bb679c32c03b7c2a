// SPDX-License-Identifier: Apache-2.0
// Verdicts in machine-readable lines: PASS name, FAIL name detail, SKIP name reason, SUMMARY.
#pragma once

#include <stdbool.h>

/** Prints PASS or FAIL; fmt tells what was seen (only printed with FAIL). Returns cond. */
bool report(const char *name, bool cond, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void report_skip(const char *name, const char *reason);
/** Prints SUMMARY, then powers the machine off, or idles for ever with the boot argument "stay". */
void report_finish(void) __attribute__((noreturn));
