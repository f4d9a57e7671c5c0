foreach(subject cox hawkes kaplan parametric pavement recurrent)
  gezhi_test(test_${subject} test_${subject}.c LINK num_model study_table)
endforeach()
gezhi_test(test_exposure test_exposure.c LINK num_model)
