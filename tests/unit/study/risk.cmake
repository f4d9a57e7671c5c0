foreach(subject risk risk_curve risk_spec risk_worked)
  gezhi_test(test_${subject} test_${subject}.c LINK study_risk)
endforeach()
