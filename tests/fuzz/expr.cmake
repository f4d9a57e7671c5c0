gezhi_fuzz(expr fuzz_expr.c LINK expr)
