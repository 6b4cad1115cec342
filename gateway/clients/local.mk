# Clients of other libraries: a folder for each family.
include gateway/clients/engine_io/local.mk
include gateway/clients/socket_io/local.mk

libsluice_a_SOURCES += \
  gateway/clients/families.c gateway/clients/families.h
