gezhi_test(test_alarm_series test_alarm_series.c LINK study_alarm)
gezhi_test(test_alarm_evaluate test_alarm_evaluate.c LINK study_alarm)
