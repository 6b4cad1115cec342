# Rules that a test must hold, because readers and writers forget them: layers, sizes, complete manuals, plain English.
check_PROGRAMS += tests/style/print_options
tests_style_print_options_SOURCES = tests/style/print_options.c
style_checks = \
	tests/style/check_bench_manual.py \
	tests/style/check_english.py \
	tests/style/check_fuzz.py \
	tests/style/check_js.py \
	tests/style/check_links.py \
	tests/style/check_manual.py \
	tests/style/check_paths.py \
	tests/style/check_protocol.py \
	tests/style/check_proxies.py \
	tests/style/check_style.py \
	tests/style/check_threats.py
dist_check_SCRIPTS += $(style_checks)
TESTS += $(style_checks)
