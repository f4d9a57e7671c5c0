gezhi_fuzz(case_map fuzz_case_map.c LINK process)
target_compile_definitions(fuzz_case_map PRIVATE SOURCE_DIR="${CMAKE_SOURCE_DIR}")
