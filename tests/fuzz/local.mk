# libFuzzer targets, built with: ./configure CC=clang --enable-fuzzing
fuzz_targets =
fuzz_ldflags = $(AM_LDFLAGS) -fsanitize=fuzzer

if FUZZING
noinst_PROGRAMS += $(fuzz_targets)
endif
