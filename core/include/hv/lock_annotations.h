// SPDX-License-Identifier: Apache-2.0
// clang thread-safety annotations; nothing under GCC. Room: base.
#pragma once

#ifdef __clang__
#define CAPABILITY(x) __attribute__((capability(x)))
#define ACQUIRES(...) __attribute__((acquire_capability(__VA_ARGS__)))
#define ACQUIRES_SHARED(...) __attribute__((acquire_shared_capability(__VA_ARGS__)))
#define TRY_ACQUIRES(...) __attribute__((try_acquire_capability(__VA_ARGS__)))
#define RELEASES(...) __attribute__((release_capability(__VA_ARGS__)))
#define RELEASES_SHARED(...) __attribute__((release_shared_capability(__VA_ARGS__)))
#define REQUIRES(...) __attribute__((requires_capability(__VA_ARGS__)))
#define GUARDED_BY(x) __attribute__((guarded_by(x)))
#define NO_THREAD_SAFETY __attribute__((no_thread_safety_analysis))
#else
#define CAPABILITY(x)
#define ACQUIRES(...)
#define ACQUIRES_SHARED(...)
#define TRY_ACQUIRES(...)
#define RELEASES(...)
#define RELEASES_SHARED(...)
#define REQUIRES(...)
#define GUARDED_BY(x)
#define NO_THREAD_SAFETY
#endif
