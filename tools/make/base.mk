# SPDX-License-Identifier: Apache-2.0
# Output folders, quietness and small helpers that every other rules file uses.
#help Bulkhead, a type-1 hypervisor for ARMv8-A. Targets:
#help
#help   make                 the image: $(O)/Image, with symbols in $(O)/bulkhead.elf

MAKEFLAGS += --no-builtin-rules --no-builtin-variables --no-print-directory
.SUFFIXES:
.DELETE_ON_ERROR:

SHELL := /bin/sh
O ?= build
CACHE ?= $(ROOT)/.cache
ifneq ($(filter $(abspath $(O)),$(ROOT) /),)
$(error O=$(O) would mix the output with the sources; name a folder of its own)
endif
PYTHON := /usr/bin/python3

V ?= 0
ifeq ($(V),1)
Q :=
say =
else
Q := @
say = @printf '  %-7s %s\n' '$(1)' '$(2)'
endif

.PHONY: FORCE
FORCE:

# A file that changes only when the text of the variable named by $(2) does: objects depend on it.
define remember
$(1): FORCE
	@mkdir -p $$(@D)
	@printf '%s\n' '$$(subst ','\'',$$($(2)))' | cmp -s - $$@ || \
		printf '%s\n' '$$(subst ','\'',$$($(2)))' > $$@
endef
