# SPDX-License-Identifier: Apache-2.0
# Sources are found by wildcard; those that a Kconfig symbol can leave out are named here:
#   $(call only-if,CONFIG_NAME,path/to/source.c …)

dropped :=
only-if = $(if $(filter y,$($(1))),,$(eval dropped += $(2)))

$(call only-if,CONFIG_DEBUG_LATENCY,core/sched/latency.c)

