# A proxy that misbehaves on purpose; all but main is a library, for the tests.
noinst_LIBRARIES += libobstacle.a
libobstacle_a_SOURCES = \
  bench/obstacle/active.c bench/obstacle/active.h \
  bench/obstacle/address.c bench/obstacle/address.h \
  bench/obstacle/body.c bench/obstacle/body.h \
  bench/obstacle/cache.c bench/obstacle/cache.h \
  bench/obstacle/connection.c bench/obstacle/connection.h \
  bench/obstacle/connection_send.c \
  bench/obstacle/control.c bench/obstacle/control.h \
  bench/obstacle/control_json.c bench/obstacle/control_json.h \
  bench/obstacle/events.c bench/obstacle/events.h \
  bench/obstacle/exchange.c bench/obstacle/exchange.h \
  bench/obstacle/families.h \
  bench/obstacle/fault.c bench/obstacle/fault.h \
  bench/obstacle/faults_answer.c \
  bench/obstacle/faults_cache.c \
  bench/obstacle/faults_cut.c \
  bench/obstacle/faults_frame.c \
  bench/obstacle/faults_header.c \
  bench/obstacle/faults_hold.c \
  bench/obstacle/faults_message.c \
  bench/obstacle/faults_pace.c \
  bench/obstacle/faults_repeat.c \
  bench/obstacle/faults_rewrite.c \
  bench/obstacle/faults_upgrade.c \
  bench/obstacle/frames.c bench/obstacle/frames.h \
  bench/obstacle/head.c bench/obstacle/head.h \
  bench/obstacle/proxy.c bench/obstacle/proxy.h \
  bench/obstacle/queue.c bench/obstacle/queue.h \
  bench/obstacle/registry.c \
  bench/obstacle/tls.c bench/obstacle/tls.h \
  bench/obstacle/value.c bench/obstacle/value.h

bin_PROGRAMS += sluice-obstacle
sluice_obstacle_SOURCES = bench/obstacle/obstacle.c
sluice_obstacle_LDADD = libobstacle.a libsluice.a $(JANSSON_LIBS) $(SSL_LIBS) $(CRYPTO_LIBS)
