libsluice_a_SOURCES += \
  gateway/core/loop.c gateway/core/loop.h \
  gateway/core/mailbox.c gateway/core/mailbox.h \
  gateway/core/socket.c gateway/core/socket.h \
  gateway/core/timer.c gateway/core/timer.h
