gezhi_fuzz(cube fuzz_cube.c LINK measure)
gezhi_fuzz(index_yaml fuzz_index_yaml.c LINK measure)
gezhi_fuzz(survey fuzz_survey.c LINK measure)
