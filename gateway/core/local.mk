libsluice_a_SOURCES += \
  gateway/core/listener.c gateway/core/listener.h \
  gateway/core/loop.c gateway/core/loop.h \
  gateway/core/mailbox.c gateway/core/mailbox.h \
  gateway/core/quota.c gateway/core/quota.h \
  gateway/core/socket.c gateway/core/socket.h \
  gateway/core/timer.c gateway/core/timer.h
