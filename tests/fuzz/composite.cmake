foreach(subject tables spec)
  gezhi_fuzz(index_${subject} fuzz_index_${subject}.c LINK study_composite)
endforeach()
