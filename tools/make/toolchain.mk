# SPDX-License-Identifier: Apache-2.0
# Compilers and flags: GCC by default, clang and lld with LLVM=1, the machine's own GCC for the host port.
#help
#help Variables: O=dir (output), V=1 (show commands), LLVM=1 (clang and lld), LIBFDT_SRC=dir (own libfdt),
#help            CROSS=prefix (default aarch64-linux-gnu-), DEFCONFIG=file
#help

CROSS ?= aarch64-linux-gnu-

ifeq ($(LLVM),1)
CC := clang --target=aarch64-none-elf
LD := ld.lld
OBJCOPY := llvm-objcopy
NM := llvm-nm
compiler-cflags := -Wthread-safety -Wno-unused-command-line-argument
compiler-ldflags := --hash-style=sysv -z nostart-stop-gc --apply-dynamic-relocs
else
CC := $(CROSS)gcc
LD := $(CROSS)ld
OBJCOPY := $(CROSS)objcopy
NM := $(CROSS)nm
# The macro keeps the compiler's own limits.h from asking for a C library's.
compiler-cflags := -fstack-usage -mstack-protector-guard=global -D_LIBC_LIMITS_H_
compiler-ldflags := --no-warn-rwx-segments
endif
HOST_CC ?= gcc

warnings := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wvla -Werror
language := -std=gnu11 -g -fno-strict-aliasing -fno-common -fno-omit-frame-pointer
preludes := -include $(CONFIG_H)

arm64-cppflags := -Iarch/arm64/include $(includes) -I$(O)/gen $(preludes)
# Small; sources.mk names what is fast instead.
optimise := -Os
arm64-cflags = $(arm64-cppflags) -include tools/make/hidden.h -nostdinc $(libc-includes) \
	$(libfdt-cflags) $(language) $(optimise) -ffreestanding -fpie -fvisibility=hidden \
	$(if $(uses-fp),,-mgeneral-regs-only) -mno-outline-atomics -mstrict-align -fstack-protector-strong \
	-ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-unwind-tables \
	-ffile-prefix-map=$(ROOT)/= $(warnings) $(compiler-cflags)
arm64-asflags = $(arm64-cppflags) -D__ASSEMBLY__ -g -Wa,--fatal-warnings
libc-includes = -isystem $(compiler-include)
compiler-include := $(shell $(CC) -print-file-name=include 2>/dev/null)
freestanding-cflags := -fno-builtin $(if $(filter 1,$(LLVM)),,-fno-tree-loop-distribute-patterns)
arm64-ldflags = -pie --no-dynamic-linker -z notext -z norelro -z noexecstack \
	-z max-page-size=4096 --gc-sections --build-id=none $(compiler-ldflags)

host-cflags := -iquote . -Iarch/host/include $(includes) $(preludes) $(language) -O1 -D_GNU_SOURCE \
	-DCONFIG_DEBUG_LOCKS=1 \
	-fsanitize=address,undefined -fno-sanitize-recover=undefined $(warnings)
host-ldflags := -fsanitize=address,undefined
host-libs := -lcmocka -lfdt -lpthread
