# What goodwill alone does not keep: layers, sizes, a complete manual.
check_PROGRAMS += tests/style/print_options
tests_style_print_options_SOURCES = tests/style/print_options.c
dist_check_SCRIPTS += tests/style/check_style.py tests/style/check_log.py tests/style/check_manual.py tests/style/check_bench_manual.py tests/style/check_proxies.py tests/style/check_js.py tests/style/check_threats.py tests/style/check_fuzz.py tests/style/check_english.py
TESTS += tests/style/check_style.py tests/style/check_log.py tests/style/check_manual.py tests/style/check_bench_manual.py tests/style/check_proxies.py tests/style/check_js.py tests/style/check_threats.py tests/style/check_fuzz.py tests/style/check_english.py
