gezhi_fuzz(index_audit fuzz_index_audit.c LINK study_composite)
