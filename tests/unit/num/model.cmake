# Regression, evaluation and trees; survival.cmake has the rest of num/model.
foreach(subject calibrate elastic evaluate glm glm_faults model_memory trees)
  gezhi_test(test_${subject} test_${subject}.c LINK num_model study_table)
endforeach()
