# libFuzzer targets, built with: ./configure CC=clang --enable-fuzzing
fuzz_targets =
EXTRA_DIST += tests/fuzz/run_fuzz.sh
fuzz_ldflags = $(AM_LDFLAGS) -fsanitize=fuzzer

if FUZZING
noinst_PROGRAMS += $(fuzz_targets)
endif
