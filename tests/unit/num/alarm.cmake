gezhi_test(test_alarm_peer test_alarm_peer.c alarm_reference.c LINK num_alarm study_table)
gezhi_test(test_alarm_shared test_alarm_shared.c alarm_reference.c LINK num_alarm study_table)
gezhi_test(test_alarm test_alarm.c LINK num_alarm)
gezhi_test(test_alarm_sim test_alarm_sim.c LINK num_alarm)
