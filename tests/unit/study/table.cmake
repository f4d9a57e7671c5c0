gezhi_test(test_table test_table.c LINK study_table)
