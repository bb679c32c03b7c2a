# SPDX-License-Identifier: Apache-2.0
# Checks, tests and measurements.
#help   make check           format, layers, symbols, sizes, FP registers, licences, both compilers
#help   make test            set-up, checks, unit tests, system tests; ends with N passed, N failed
#help   make bench           exact instruction counts under QEMU's -icount

#help   make format          write all C code as .clang-format says

.PHONY: check format test bench
format:
	$(Q)find $(wildcard arch core drivers emulators libs tests) -name '*.[ch]' -exec clang-format -i {} +

check: setup
	$(Q)tools/check/run $(O) $(CACHE)

test: setup
	$(Q)tools/test $(O) $(CACHE)

bench: setup
	$(Q)$(build-again) all guests
	$(Q)$(PYTHON) tests/bench/bench.py $(O)
#help   make clean           remove what was built; make distclean also the configuration and downloads
