foreach(subject csv json yaml)
  gezhi_fuzz(${subject} fuzz_${subject}.c LINK base)
endforeach()
