# The audit of a composite index.
gezhi_test(test_sobol test_sobol.c LINK num_composite)
gezhi_test(test_rank_interval test_rank_interval.c LINK num_composite)
gezhi_test(test_correlation test_correlation.c LINK num_composite study_table)
gezhi_test(test_contribution test_contribution.c audit_frame.c LINK num_composite)
gezhi_test(test_choices test_choices.c audit_frame.c LINK num_composite study_table)
