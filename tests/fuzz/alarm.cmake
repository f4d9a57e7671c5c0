gezhi_fuzz(alarm_series fuzz_alarm_series.c LINK study_alarm)
