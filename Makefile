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
	tools/install test && cmake --preset dev >/dev/null && tools/lint/run build/dev
fuzz:
	tests/fuzz/run 600
bench:
	bench/run
format:
	find src tests bench tools -name '*.[ch]' | xargs clang-format-14 -i
golden:
	UPDATE_GOLDEN=1 tests/program/run api
