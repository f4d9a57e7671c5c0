# gezhi_library(NAME sources... [LINK libs...])  one folder of src/ is one static library
function(gezhi_library name)
  cmake_parse_arguments(A "" "" "LINK" ${ARGN})
  add_library(${name} STATIC ${A_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC app_flags ${A_LINK})
endfunction()

# The test programs that take longest begin first, so that none of them is left alone at the end.
set(GEZHI_LONG_TESTS test_scan_time_null test_warn_city test_scan_time test_photo test_warn_boston test_grid_import
  test_risk_worked test_crash test_import test_alarm test_workcal test_scan_places test_scan_null test_scan_reference
  test_warn test_helper_geo test_pack_errors test_index_slips test_warning test_scan_report test_measure)

# gezhi_test(NAME sources... LINK libs...)  one cmocka program; it prints cmocka's summary, which ./test counts
function(gezhi_test name)
  cmake_parse_arguments(A "" "" "LINK" ${ARGN})
  add_executable(${name} ${A_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE app_flags cmocka ${A_LINK})
  target_compile_definitions(${name} PRIVATE SOURCE_DIR="${CMAKE_SOURCE_DIR}" BUILD_DIR="${CMAKE_BINARY_DIR}")
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT 600)
  if(name IN_LIST GEZHI_LONG_TESTS)
    set_tests_properties(${name} PROPERTIES COST 10)
  endif()
endfunction()

# gezhi_fuzz(NAME source LINK libs...)  a libFuzzer target with clang (GEZHI_FUZZ), else a program that replays
# tests/fuzz/corpus/NAME file by file; a build without sanitizers, which would see less, makes it only when asked
function(gezhi_fuzz name source)
  cmake_parse_arguments(A "" "" "LINK" ${ARGN})
  if(GEZHI_FUZZ)
    add_executable(fuzz_${name} ${source})
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(fuzz_${name} ${source} ${CMAKE_SOURCE_DIR}/tests/fuzz/replay.c)
    if(GEZHI_ASAN OR GEZHI_TSAN OR GEZHI_COVERAGE)
      add_test(NAME fuzz_${name} COMMAND fuzz_${name} ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name})
    else()
      set_target_properties(fuzz_${name} PROPERTIES EXCLUDE_FROM_ALL ON)
    endif()
  endif()
  target_link_libraries(fuzz_${name} PRIVATE app_flags ${A_LINK})
endfunction()
