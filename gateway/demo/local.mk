libsluice_a_SOURCES += \
  gateway/demo/api.c gateway/demo/api.h \
  gateway/demo/blocks.c gateway/demo/blocks.h \
  gateway/demo/child.c gateway/demo/child.h \
  gateway/demo/cluster.c gateway/demo/cluster.h \
  gateway/demo/demo.c gateway/demo/demo.h \
  gateway/demo/feeds.c gateway/demo/feeds.h \
  gateway/demo/lanes.c gateway/demo/lanes.h \
  gateway/demo/names.c gateway/demo/names.h \
  gateway/demo/obstacle.c gateway/demo/obstacle.h \
  gateway/demo/tap.c gateway/demo/tap.h \
  gateway/demo/trace.c gateway/demo/trace.h \
  gateway/demo/wanted.c gateway/demo/wanted.h \
  gateway/demo/watch.c gateway/demo/watch.h
