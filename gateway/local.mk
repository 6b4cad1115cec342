bin_PROGRAMS += sluice
sluice_SOURCES = gateway/main.c

include gateway/util/local.mk
include gateway/bus/local.mk
include gateway/core/local.mk
include gateway/http/local.mk
include gateway/live/local.mk
