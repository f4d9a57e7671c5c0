gezhi_fuzz(photo_head ${CMAKE_CURRENT_SOURCE_DIR}/fuzz_photo_head.c LINK helper_photo base)
