libsluice_a_SOURCES += \
  gateway/demo/api.c gateway/demo/api.h \
  gateway/demo/demo.c gateway/demo/demo.h \
  gateway/demo/feeds.c gateway/demo/feeds.h \
  gateway/demo/lanes.c gateway/demo/lanes.h
