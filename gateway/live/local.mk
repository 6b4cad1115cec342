libsluice_a_SOURCES += \
  gateway/live/connection.c gateway/live/connection.h \
  gateway/live/connection_end.c gateway/live/connection_send.c \
  gateway/live/control.c gateway/live/control.h \
  gateway/live/fanout.c gateway/live/fanout.h \
  gateway/live/heartbeat.c gateway/live/heartbeat.h \
  gateway/live/join.c gateway/live/join.h \
  gateway/live/outbox.c gateway/live/outbox.h \
  gateway/live/protocol.c gateway/live/protocol.h \
  gateway/live/run.c gateway/live/run.h
