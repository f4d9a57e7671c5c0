gezhi_fuzz(table fuzz_table.c LINK study_table)
