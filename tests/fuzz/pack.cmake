gezhi_fuzz(pack fuzz_pack.c LINK pack)
