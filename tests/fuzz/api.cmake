gezhi_fuzz(open311_form fuzz_open311_form.c LINK api)
target_compile_definitions(fuzz_open311_form PRIVATE SOURCE_DIR="${CMAKE_SOURCE_DIR}")
