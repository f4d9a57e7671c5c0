gezhi_test(test_scan_time test_scan_time.c scan_time_oracle.c LINK num_scan)
