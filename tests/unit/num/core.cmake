gezhi_test(test_special test_special.c LINK num_core)
