libsluice_a_SOURCES += \
  gateway/core/mailbox.c gateway/core/mailbox.h
