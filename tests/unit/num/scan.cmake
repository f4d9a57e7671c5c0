gezhi_test(test_scan_spatial test_scan_spatial.c scan_oracle.c LINK num_scan)
