gezhi_fuzz(wkb fuzz_wkb.c LINK geo)
gezhi_fuzz(geostream fuzz_geostream.c LINK helper)
