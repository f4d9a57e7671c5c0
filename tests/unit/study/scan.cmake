gezhi_test(test_scan_files test_scan_files.c LINK study_scan)
gezhi_test(test_scan_prm test_scan_prm.c LINK study_scan)
gezhi_test(test_scan_reference test_scan_reference.c LINK study_scan)
