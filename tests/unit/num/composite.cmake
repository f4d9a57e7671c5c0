# The reference tables are read by study/table.
foreach(subject asem methods properties)
  gezhi_test(test_composite_${subject} test_composite_${subject}.c LINK num_composite study_table)
endforeach()
