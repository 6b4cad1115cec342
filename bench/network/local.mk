# Networks that are not here: two namespaces and a link between them.
libbench_a_SOURCES += \
  bench/network/carrier.c bench/network/carrier.h \
  bench/network/command.c bench/network/command.h \
  bench/network/echo.c bench/network/echo.h \
  bench/network/flows.c bench/network/flows.h \
  bench/network/kinds.c \
  bench/network/network.c bench/network/network.h \
  bench/network/pipe.c bench/network/pipe.h \
  bench/network/space.c bench/network/space.h
