// SPDX-License-Identifier: Apache-2.0
// Host port: which stack runs, for jumps that leave it without a switch.
#pragma once

/** Remember the stack that runs now as the target of host_stack_leave_to_mark(). */
void host_stack_mark(void);
/** Tell the sanitizer that the next instruction after the jump runs on the marked stack. */
void host_stack_leave_to_mark(void);
/** First act after that jump. */
void host_stack_arrived(void);
