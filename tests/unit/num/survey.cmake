gezhi_test(test_survey test_survey.c LINK num_survey base)
