# libFuzzer targets, built with: ./configure CC=clang --enable-fuzzing
fuzz_targets =
EXTRA_DIST += tests/fuzz/run_fuzz.sh
fuzz_ldflags = $(AM_LDFLAGS) -fsanitize=fuzzer

fuzz_targets += tests/fuzz/fuzz_ws_reader
tests_fuzz_fuzz_ws_reader_SOURCES = tests/fuzz/fuzz_ws_reader.c
tests_fuzz_fuzz_ws_reader_LDFLAGS = $(fuzz_ldflags)
EXTRA_DIST += tests/fuzz/corpus/ws_reader

if FUZZING
noinst_PROGRAMS += $(fuzz_targets)
endif
