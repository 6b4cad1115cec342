libsluice_a_SOURCES +=
