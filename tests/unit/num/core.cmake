foreach(subject linalg optim special)
  gezhi_test(test_${subject} test_${subject}.c LINK num_core)
endforeach()
