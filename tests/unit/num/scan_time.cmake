gezhi_test(test_scan_time test_scan_time.c scan_time_oracle.c LINK num_scan)
gezhi_test(test_scan_time_null test_scan_time_null.c LINK num_scan)
