foreach(subject risk_spec risk_model)
  gezhi_fuzz(${subject} fuzz_${subject}.c LINK study_risk)
endforeach()
