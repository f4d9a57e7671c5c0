# The reference tables are read by study/table.
foreach(subject asem)
  gezhi_test(test_composite_${subject} test_composite_${subject}.c LINK num_composite study_table)
endforeach()
