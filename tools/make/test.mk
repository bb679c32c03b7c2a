# SPDX-License-Identifier: Apache-2.0
# Checks, tests and measurements.
#help   make check           format, layers, symbols, sizes, FP registers, licences, both compilers
#help   make test            set-up, checks, unit tests, system tests; ends with N passed, N failed
#help   make test-long       the tests marked long: whole matrix, long fuzz, races; at most 60 minutes
#help   make bench           exact instruction counts under QEMU's -icount

#help   make format          write all C code as .clang-format says

.PHONY: check format test test-long bench
format:
	$(Q)find $(wildcard arch core drivers emulators libs tests) -name '*.[ch]' -exec clang-format -i {} +

check: setup
	$(Q)tools/check/run $(O) $(CACHE)

test: setup
	$(Q)tools/test $(O) $(CACHE)

test-long: setup
	$(Q)tools/test --long $(O) $(CACHE)

bench: setup
	$(Q)$(build-again) all guests
	$(Q)$(PYTHON) tests/bench/bench.py $(O) $(CACHE)
#help   make clean           remove what was built; make distclean also the configuration and downloads
