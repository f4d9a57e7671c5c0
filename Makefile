# A thin front door; the work is done by CMake and the scripts named here.
.PHONY: build run test check lint fuzz bench format golden
build:
	tools/install build && tools/build
run:
	./run
test:
	./test
check:
	./test --quick
lint:
	tools/install test && cmake --preset dev >/dev/null && tools/lint/run build/dev && web/build.sh check lint
fuzz:
	tools/install test && cmake --preset fuzz >/dev/null && ninja -C build/fuzz
	for f in build/fuzz/tests/fuzz/fuzz_*; do [ ! -f "$$f" ] || "$$f" -max_total_time=600 || exit 1; done
bench:
	bench/run
format:
	find src tests bench tools -name '*.[ch]' | xargs clang-format-14 -i
golden:
	UPDATE_GOLDEN=1 tests/program/run api
