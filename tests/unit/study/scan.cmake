gezhi_test(test_scan_files test_scan_files.c LINK study_scan)
