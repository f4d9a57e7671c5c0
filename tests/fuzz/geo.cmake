gezhi_fuzz(wkb fuzz_wkb.c LINK geo)
