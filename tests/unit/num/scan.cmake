gezhi_test(test_scan_spatial test_scan_spatial.c scan_oracle.c LINK num_scan)
gezhi_test(test_scan_places test_scan_places.c LINK num_scan)
gezhi_test(test_scan_null test_scan_null.c scan_oracle.c LINK num_scan)
gezhi_test(test_scan_pitfalls test_scan_pitfalls.c scan_oracle.c LINK num_scan)
