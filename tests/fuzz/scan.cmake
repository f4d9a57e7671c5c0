foreach(subject cas pop geo prm csv)
  gezhi_fuzz(scan_${subject} fuzz_scan_${subject}.c LINK study_scan)
endforeach()
